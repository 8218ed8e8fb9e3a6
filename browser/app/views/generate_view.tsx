import { signal } from "@preact/signals";
import { receiptId } from "../../../core/transcript/mod.ts";
import { engine, listener } from "../engine.ts";
import { busy, problem, show, tell } from "../state.ts";
import type { GenerateEvent, OwnImage, Picture } from "../api.ts";
import { ComputeSelect } from "./check_view.tsx";
import { compute } from "../state.ts";
import { PictureCanvas } from "./picture_canvas.tsx";

const preview = signal<Picture | undefined>(undefined);
const status = signal("");
const made = signal<{ readonly own: OwnImage; readonly url: string } | undefined>(undefined);

/** Makes an image in this tab, by the embedded model. */
export function GenerateView() {
  return (
    <section>
      <h2>Make an image</h2>
      <div class="made">
        <div>
          {made.value
            ? <img src={made.value.url} alt="The image that this tab made" />
            : preview.value
            ? <PictureCanvas picture={preview.value} label="The image as far as it is" />
            : <p class="faint">The embedded model draws tau symbols. 12 MB are fetched once.</p>}
        </div>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void tell(() => run(new FormData(event.currentTarget)));
          }}
        >
          <label class="wide">
            Prompt
            <textarea name="prompt" maxLength={1000}>
              a golden tau symbol in a night sky with stars
            </textarea>
          </label>
          <p class="row">
            <label>
              Seed <input name="seed" inputMode="numeric" size={10} placeholder="any" />
            </label>
            <label>
              Steps <input name="steps" type="number" min={1} max={100} value={20} />
            </label>
            <label>
              Size{" "}
              <select name="size">
                <option>256</option>
                <option>128</option>
              </select>
            </label>
            <label>
              Guidance <input name="guidance" type="number" min={0} max={20} step={0.5} value={5} />
            </label>
          </p>
          <p class="row">
            <ComputeSelect />
            <button type="submit" class="main" disabled={busy.value}>Make it</button>
            {busy.value && (
              <button type="button" onClick={() => void engine.cancel()}>Cancel</button>
            )}
          </p>
          <p role="status" class="small">{status.value}</p>
          <p class="problem" role="alert">{problem.value}</p>
          {made.value && (
            <p>
              <button type="button" onClick={() => void tell(() => look(made.value))}>
                Look at its receipt, and check it
              </button>
            </p>
          )}
        </form>
      </div>
    </section>
  );
}

async function run(form: FormData): Promise<void> {
  made.value = undefined;
  preview.value = undefined;
  const seed = String(form.get("seed") ?? "").trim();
  const own = await engine.generate({
    prompt: String(form.get("prompt") ?? ""),
    negativePrompt: "",
    seed: seed === "" ? String(crypto.getRandomValues(new Uint32Array(1))[0]) : seed,
    steps: Number(form.get("steps")),
    guidanceScale: Number(form.get("guidance")),
    size: Number(form.get("size")),
    compute: compute.value,
  }, listener(take));
  status.value = `${own.seconds.toFixed(1)} s on ${own.compute}`;
  made.value = { own, url: URL.createObjectURL(own.image) };
}

function take(event: GenerateEvent): void {
  if (event.kind === "stage") status.value = event.detail;
  else {
    status.value = `Step ${event.step} of ${event.steps}`;
    preview.value = event.preview ?? preview.value;
  }
}

async function look(shown: typeof made.value): Promise<void> {
  if (!shown) return;
  const { receipt, image } = shown.own;
  await show({ id: receiptId(receipt), receipt, image, at: Date.now() });
}
