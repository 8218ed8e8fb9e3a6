import { signal } from "@preact/signals";
import type { SourceOrder } from "../api/mod.ts";
import { complain } from "../state/mod.ts";
import { FileField } from "./file_field.tsx";
import { Slide } from "./slide.tsx";
import { MaskCanvas, maskHistory, MaskTools, NO_MASK } from "./mask_canvas.tsx";
import { isBlank, maskFile } from "./mask_drawing.ts";

/** The image that the next one starts from, with its size in pixels. */
interface Source {
  readonly image: Blob;
  readonly width: number;
  readonly height: number;
  /** Its receipt's id. */
  readonly parent?: string;
}

const source = signal<Source | undefined>(undefined);
const strength = signal(0.6);

export const PICTURES = "image/png,image/jpeg,image/webp";

/** Takes an image to start from. @param parent the id of its receipt, where it has one. */
export async function startFrom(image: Blob, parent?: string): Promise<void> {
  const size = await sizeOf(image);
  if (!size) return complain("generate", NO_PICTURE);
  source.value = { image, ...size, parent };
  maskHistory.value = NO_MASK;
}

export const NO_PICTURE =
  "Cannot use this file: it is no PNG, JPEG or WebP that this browser reads";

/** Of a picture as it is seen; undefined where it is none. */
export async function sizeOf(
  image: Blob,
): Promise<{ readonly width: number; readonly height: number } | undefined> {
  try {
    const bitmap = await createImageBitmap(image);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height };
  } catch {
    return undefined;
  }
}

export function hasSource(): boolean {
  return source.value !== undefined;
}

/** What the next image starts from; undefined for noise. */
export async function sourceOrder(): Promise<SourceOrder | undefined> {
  const from = source.value;
  if (!from) return undefined;
  const { image, parent } = from;
  const drawing = maskHistory.value[maskHistory.value.length - 1];
  const mask = isBlank(drawing) ? undefined : await maskFile(drawing, from);
  return { image, mask, strength: strength.value, parent };
}

/** An image to start from, and what of it is drawn anew. */
export function SourceField() {
  const from = source.value;
  return (
    <FileField
      label={from ? "Choose another image" : "Choose an image to start from"}
      accept={PICTURES}
      onFiles={([file]) => void startFrom(file)}
    >
      {from && (
        <>
          <MaskCanvas {...from} />
          <MaskTools onRemove={() => source.value = undefined} />
          <Strength />
        </>
      )}
    </FileField>
  );
}

function Strength() {
  return (
    <Slide value={strength} min={0.05} max={1} step={0.05}>
      Strength {strength.value.toFixed(2)}: how much is drawn anew
    </Slide>
  );
}
