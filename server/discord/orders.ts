import { AppError } from "../../core/error.ts";
import { decodeImage, encodeImage, withoutMetadata } from "../../core/image/mod.ts";
import { enlargedSize, lanczos } from "../../core/upscale/mod.ts";
import type { ServedJob } from "./image_service.ts";
import type { Interaction } from "./interaction.ts";

/** The fields of a job's request. */
export type Wanted = Readonly<Record<string, unknown>>;

/** An image with what proves it. */
export interface MadeImage {
  readonly request: Wanted;
  readonly size: { readonly width: number; readonly height: number };
  readonly receipt: unknown;
  /** The receipt's id, and what opens its steps. */
  readonly id: string;
  readonly token: string | undefined;
  /** Where the miner that made it is. */
  readonly miner: string | undefined;
}

/** How much a remix changes, and an upscaled image, where nobody says. */
const [REMIX, UPSCALE] = [0.6, 0.3];
const FACTOR = 2;
/** Options of `/create` by the fields that they are. */
const FIELDS = {
  negative: "negativePrompt",
  steps: "steps",
  guidance: "guidanceScale",
  width: "width",
  height: "height",
  seed: "seed",
} as const;

/** What was asked for, without files. */
export function wantedOf({ options }: Interaction): Wanted {
  const fields = Object.entries(FIELDS).flatMap(([name, field]) => {
    const value = options.get(name);
    return value === undefined ? [] : [[field, value] as const];
  });
  return { prompt: String(options.get("prompt") ?? ""), ...Object.fromEntries(fields) };
}

/** @throws AppError `invalid_request`. */
export function strengthOf({ options }: Interaction): number {
  const text = String(options.get("strength") ?? "").trim();
  if (text === "") return REMIX;
  const strength = Number(text.replace(",", "."));
  if (strength > 0 && strength <= 1) return strength;
  throw new AppError(
    "invalid_request",
    `Cannot remix: how much changes is ${text}, not a number above 0, at most 1`,
  );
}

/** @throws AppError `not_ready` for a job that has no image. */
export function madeOf({ images: [image] }: ServedJob): MadeImage {
  const { receipt, receiptId: id, token, miner, width, height } = image;
  if (receipt && id !== undefined) {
    const { request } = receipt;
    return { request, size: { width, height }, receipt, id, token, miner: miner?.url };
  }
  throw new AppError("not_ready", "Cannot go on from the image: it is not there");
}

/** The same with another seed. */
export function again({ request: { seed: _, ...request } }: MadeImage): Wanted {
  return request;
}

/** Goes on from a made image, and says so in its receipt. */
export function remixOf(
  { id }: Pick<MadeImage, "id">,
  file: Uint8Array<ArrayBuffer>,
  wanted: { readonly prompt: string; readonly strength: number },
): Wanted {
  return { ...wanted, image: dataUrl(withoutMetadata(file, "png")), parent: id };
}

/** Twice as wide and high: enlarged by Lanczos' kernel, and then drawn anew a little. */
export async function upscaled(
  { id, request, size }: MadeImage,
  file: Uint8Array<ArrayBuffer>,
): Promise<Wanted> {
  const larger = enlargedSize(size, FACTOR);
  const image = await lanczos.enlarge(await decodeImage(file, "png", size), larger);
  const { mask: _, strength: __, ...rest } = request;
  return {
    ...{ ...rest, ...larger, strength: UPSCALE, parent: id, upscaler: lanczos.id },
    image: dataUrl(await encodeImage(image, "png")),
  };
}

export function dataUrl(bytes: Uint8Array<ArrayBuffer>): string {
  return `data:image/png;base64,${bytes.toBase64()}`;
}
