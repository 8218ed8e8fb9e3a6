import { makingGateway } from "./gateway.ts";
import { enter, entered } from "./form_state.ts";

/** Words that the embedded model knows. */
const TAU = ["golden", "silver", "carved stone", "neon glowing", "outlined", "flat"];
/** Words that most models know. */
const ANY = ["photograph", "watercolour", "oil painting", "ink drawing", "pixel art", "3D render"];

/** Words for a look, which a tap adds to the prompt. */
export function StylesView() {
  const offered = makingGateway.value ? [...TAU.slice(0, 2), ...ANY] : TAU;
  const { styles } = entered.value;
  const shown = [...offered, ...styles.filter((style) => !offered.includes(style))];
  return (
    <div class="chips" role="group" aria-label="Style">
      {shown.map((style) => {
        const chosen = styles.includes(style);
        return (
          <button
            key={style}
            type="button"
            aria-pressed={chosen}
            onClick={() =>
              enter({
                styles: chosen ? styles.filter((each) => each !== style) : [...styles, style],
              })}
          >
            {style}
          </button>
        );
      })}
    </div>
  );
}
