import { check } from "../state/mod.ts";
import { PictureCanvas } from "./picture_canvas.tsx";
import { Zoomable } from "./zoom.tsx";

interface Props {
  /** Steps of the run. */
  readonly of: number;
  readonly drawn: readonly number[];
  readonly failed: readonly number[];
}

/** All steps as marks, and the states that were opened as pictures, the drawn ones framed. */
export function StripView({ of, drawn, failed }: Props) {
  const opened = [...check.value?.pictures.keys() ?? []];
  // Of a verdict of another day there are no pictures any more.
  const pictured = opened.length > 0 || check.value?.running === true;
  const shown = [...new Set([...drawn, ...opened])].sort((a, b) => a - b);
  return (
    <>
      <h3>Its {of} steps, from noise to image</h3>
      <div class="strip" role="list" aria-label="Steps of the generation">
        {Array.from({ length: of }, (_, step) => (
          <span
            key={step}
            role="listitem"
            data-drawn={drawn.includes(step)}
            data-failed={failed.includes(step)}
            aria-label={`Step ${step}${drawn.includes(step) ? ", checked" : ""}`}
          />
        ))}
      </div>
      {drawn.length > 0 && pictured && (
        <>
          <div class="tiles">
            {shown.map((step) => (
              <Tile
                key={step}
                step={step}
                drawn={drawn.includes(step)}
                failed={failed.includes(step)}
              />
            ))}
          </div>
          <p class="small faint">
            Each picture is the state before a step, opened and proven. Framed: the steps that are
            checked{failed.length > 0 &&
              "; in red, those that are further off than honest machines"}.
          </p>
        </>
      )}
    </>
  );
}

interface TileProps {
  readonly step: number;
  readonly drawn: boolean;
  readonly failed: boolean;
}

function Tile({ step, drawn, failed }: TileProps) {
  const state = check.value?.pictures.get(step)?.state;
  const label = `State before step ${step}`;
  return (
    <figure data-drawn={drawn} data-failed={failed}>
      {state
        ? (
          <Zoomable label={label}>
            <PictureCanvas picture={state} label={label} />
          </Zoomable>
        )
        : <span class="empty" />}
      <figcaption class="small">{failed ? `step ${step}: fails` : `step ${step}`}</figcaption>
    </figure>
  );
}
