import { check } from "../state/mod.ts";
import { PictureCanvas } from "./picture_canvas.tsx";

/** All steps, the drawn ones marked, with the states that are known as the model sees them. */
export function StripView(
  { of, drawn }: { readonly of: number; readonly drawn: readonly number[] },
) {
  const pictures = check.value?.pictures;
  return (
    <>
      <h3>Its {of} steps, from noise to image</h3>
      <div class="strip" role="list" aria-label="Steps of the generation">
        {Array.from({ length: of }, (_, step) => {
          const state = pictures?.get(step)?.state;
          const isDrawn = drawn.includes(step);
          return (
            <div key={step} role="listitem" data-drawn={isDrawn}>
              {state
                ? <PictureCanvas picture={state} label={`State before step ${step}`} />
                : <span class="empty" />}
              <span>{isDrawn || step % 5 === 0 ? step : "\u00a0"}</span>
            </div>
          );
        })}
      </div>
      {drawn.length > 0 && (
        <p class="small faint">
          Framed: the steps that are checked. A picture is a state that was opened and proven.
        </p>
      )}
    </>
  );
}
