import { signal } from "@preact/signals";
import type { ControlOrder, Picture } from "../api/mod.ts";
import { answered, attempt, complain, engine } from "../state/mod.ts";
import { BlobImage } from "./blob_image.tsx";
import { FileField } from "./file_field.tsx";
import { PictureCanvas } from "./picture_canvas.tsx";
import { Slide } from "./slide.tsx";
import { NO_PICTURE, PICTURES, sizeOf } from "./source_field.tsx";

interface Control {
  readonly image: Blob;
  readonly width: number;
  readonly height: number;
  /** What was found in it. */
  readonly edges?: Picture;
}

const control = signal<Control | undefined>(undefined);
const preprocess = signal<ControlOrder["preprocess"]>("canny");
const scale = signal(1);

export function hasControl(): boolean {
  return control.value !== undefined;
}

/** What the next image is drawn along; undefined for nothing. */
export function controlOrder(): ControlOrder | undefined {
  const { image } = control.value ?? {};
  return image && { image, preprocess: preprocess.value, scale: scale.value };
}

async function drawAlong(image: Blob): Promise<void> {
  const size = await sizeOf(image);
  if (!size) return complain("generate", NO_PICTURE);
  const taken: Control = { image, ...size };
  control.value = taken;
  await attempt("generate", async () => {
    const edges = await answered(engine.edgesOf(image));
    if (control.value === taken) control.value = { ...taken, edges };
  });
}

/** A picture whose edges the next image follows. */
export function ControlField() {
  const along = control.value;
  return (
    <FileField
      label={along ? "Choose another picture" : "Choose a picture whose edges are followed"}
      accept={PICTURES}
      onFiles={([file]) => void drawAlong(file)}
    >
      {along && (
        <>
          <Shown {...along} />
          <Kind />
          <Slide value={scale} min={0} max={2} step={0.05}>
            Scale {scale.value.toFixed(2)}: how closely they are followed
          </Slide>
          <p class="row tools">
            <button type="button" onClick={() => control.value = undefined}>
              Remove the picture
            </button>
          </p>
        </>
      )}
    </FileField>
  );
}

function Shown({ image, width, height, edges }: Control) {
  return (
    <div class="pictures">
      <BlobImage {...{ image, width, height }} label="The picture to draw along" />
      {preprocess.value === "canny" && edges &&
        <PictureCanvas picture={edges} label="The edges that were found in it" />}
    </div>
  );
}

function Kind() {
  return (
    <label class="small">
      It is{" "}
      <select
        value={preprocess.value}
        onChange={(event) =>
          preprocess.value = event.currentTarget.value === "none" ? "none" : "canny"}
      >
        <option value="canny">a photo or drawing: its edges are found</option>
        <option value="none">edges already: white on black</option>
      </select>
    </label>
  );
}
