import { signal } from "@preact/signals";
import { randomSeed } from "../../../core/request/mod.ts";
import { encodeReceipt, receiptId } from "../../../core/transcript/mod.ts";
import { answered, attempt, compute, engine, listener, look, problem } from "../state/mod.ts";

import type { GenerateEvent, OwnImage, Picture } from "../api/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";
import { BlobDownload, BlobImage } from "./blob_image.tsx";
import { ComputeSelect, RunButtons } from "./check_view.tsx";
import { PictureCanvas } from "./picture_canvas.tsx";
import { ProblemView } from "./problem_view.tsx";
import { Zoomable } from "./zoom.tsx";

const preview = signal<Picture | undefined>(undefined);
const status = signal("");
const making = signal(false);
/** What is in the form, also while another view is shown. */
const entered = signal<FormData | undefined>(undefined);
const made = signal<(OwnImage & { readonly file: Blob }) | undefined>(undefined);

/** Makes an image in this tab, by the embedded model or one on a web server. */
export function GenerateView() {
  return (
    <section>
      <h2>Make an image</h2>
      <div class="made">
        <div>
          {made.value
            ? <MadeImage own={made.value} />
            : preview.value
            ? <PictureCanvas picture={preview.value} label="The image as far as it is" />
            : (
              <p class="faint blank">
                The embedded model draws tau symbols. 14 MB are fetched once.
              </p>
            )}
        </div>
        <form
          onInput={(event) => entered.value = new FormData(event.currentTarget)}
          onSubmit={(event) => {
            event.preventDefault();
            if (!making.value) void run(new FormData(event.currentTarget));
          }}
        >
          <label class="wide">
            Prompt
            <textarea
              name="prompt"
              dir="auto"
              maxLength={1000}
              rows={2}
              value={was("prompt", "a golden tau symbol in a night sky with stars")}
            />
          </label>
          <label class="wide">
            Without
            <input
              name="negative"
              dir="auto"
              maxLength={1000}
              placeholder="what it should not show"
              value={was("negative")}
            />
          </label>
          <Numbers />
          <label class="wide">
            Model
            <input
              name="model"
              inputMode="url"
              placeholder="the embedded one, or the address of a diffusers folder"
              value={was("model")}
            />
          </label>
          <p class="row">
            <ComputeSelect />
            <RunButtons text="Make it" running={making.value} />
          </p>
          <p role="status" class="small">{status.value}</p>
          <ProblemView at="generate" />
          {made.value && <Made own={made.value} />}
        </form>
      </div>
    </section>
  );
}

function Numbers() {
  return (
    <p class="row">
      <label>
        Seed{" "}
        <input name="seed" inputMode="numeric" size={10} placeholder="any" value={was("seed")} />
      </label>
      <label>
        Steps <input name="steps" type="number" min={1} max={100} value={was("steps", "20")} />
      </label>
      <label>
        Size{" "}
        <select name="size" value={was("size", "256")}>
          <option value="1024">1024</option>
          <option value="768">768</option>
          <option value="512">512</option>
          <option value="256">256</option>
          <option value="128">128</option>
          <option value="64">64</option>
        </select>
      </label>
      <label>
        Guidance{" "}
        <input
          name="guidance"
          type="number"
          min={0}
          max={20}
          step={0.5}
          value={was("guidance", "5")}
        />
      </label>
    </p>
  );
}

function MadeImage({ own: { image, receipt } }: { readonly own: OwnImage }) {
  const { width, height } = receipt.request;
  return (
    <Zoomable label="The image that this tab made">
      <BlobImage {...{ image, width, height }} label="The image that this tab made" />
    </Zoomable>
  );
}

/** What can be done with it. */
function Made({ own }: { readonly own: OwnImage & { readonly file: Blob } }) {
  const name = `stepwise-${own.receipt.request.seed}`;
  return (
    <p class="row">
      <button type="button" class="main" onClick={() => void look(storedOf(own))}>
        Look at its receipt, and check it
      </button>
      <BlobDownload blob={own.image} name={`${name}.png`}>Save the image</BlobDownload>
      <BlobDownload blob={own.file} name={`${name}.receipt.json`}>Save the receipt</BlobDownload>
    </p>
  );
}

function run(form: FormData): Promise<void> {
  [made.value, preview.value, problem.value] = [undefined, undefined, undefined];
  making.value = true;
  const seed = textIn(form, "seed");
  return attempt("generate", async () => {
    try {
      const own = await answered(engine.generate({
        ...{ prompt: textIn(form, "prompt"), negativePrompt: textIn(form, "negative") },
        seed: seed === "" ? String(randomSeed()) : seed,
        steps: Number(form.get("steps")),
        guidanceScale: Number(form.get("guidance")),
        size: Number(form.get("size")),
        model: textIn(form, "model"),
        compute: compute.value,
      }, listener(take)));
      const fetched = own.fetched === 0 ? "" : `, ${(own.fetched / 1e6).toFixed(1)} MB fetched`;
      status.value = `${own.seconds.toFixed(1)} s on ${own.compute}${fetched}`;
      made.value = { ...own, file: new Blob([encodeReceipt(own.receipt)]) };
    } catch (error) {
      status.value = "";
      throw error;
    } finally {
      making.value = false;
    }
  });
}

/** What was entered in a field. */
function was(name: string, first = ""): string {
  return String(entered.value?.get(name) ?? first);
}

function textIn(form: FormData, name: string): string {
  return String(form.get(name) ?? "").trim();
}

function take(event: GenerateEvent): void {
  // What was emitted before the end may arrive after it.
  if (!making.value) return;
  if (event.kind === "stage") status.value = event.detail;
  else {
    status.value = `Step ${event.step} of ${event.steps}`;
    preview.value = event.preview ?? preview.value;
  }
}

function storedOf({ receipt, image }: OwnImage): StoredReceipt {
  return { id: receiptId(receipt), receipt, image, at: Date.now() };
}
