import { AppError } from "../../core/error.ts";
import {
  blurredMask,
  type Box,
  cropped,
  encodeImage,
  maskedBox,
  outpainted,
  pasted,
  type RgbaImage,
} from "../../core/image/mod.ts";
import { fileHash } from "../../core/transcript/mod.ts";
import type { SourceFiles } from "../sources/mod.ts";
import type { OutputFile } from "../storage/mod.ts";
import type { GenerateFlags } from "./input.ts";
import { type Outputs, outputsBeside, pngBeside } from "./outputs.ts";
import type { RunContext } from "./run_request.ts";

/** Files as a request names them, made of what was given. */
export interface PreparedSources {
  readonly sources: SourceFiles;
  /** By the suffix of its name: what was made, which whoever checks the image needs. */
  readonly made: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** The size to draw at, where what was made has one. */
  readonly size?: Pick<RgbaImage, "width" | "height">;
  /** Puts a part that was drawn anew back into the whole. */
  readonly paste?: (part: RgbaImage) => RgbaImage;
}

/** Pixels around what is masked. */
const PADDING = 32;
const MAX_BLUR = 64;
const MAX_MARGIN = 2048;

/** Of what is committed, where it is a part that is then put back. */
const CROP = "-crop";

/** Suffixes of the files that there will be beside the image. */
export function suffixesOf({ made, paste }: PreparedSources): string[] {
  return [...Object.keys(made), ...paste ? [CROP] : []];
}

/** Where the images go that receipts are of. */
export function committedOutputs(outputs: Outputs, { paste }: PreparedSources): Outputs {
  return paste ? { ...outputs, images: outputsBeside(outputs, CROP).images } : outputs;
}

/** What was made of the given files, and the whole images with their parts put back. */
export async function filesOf(
  { made, paste }: PreparedSources,
  outputs: Outputs,
  parts: readonly RgbaImage[],
  { format, quality }: Pick<RunContext, "format" | "quality">,
): Promise<OutputFile[]> {
  const named = Object.entries(made);
  const files = named.map(([suffix, bytes]) => ({ path: pngBeside(outputs, suffix), bytes }));
  const whole = await Promise.all(
    (paste ? parts : []).map(async (part, k) => ({
      path: outputs.images[k],
      bytes: await encodeImage(paste?.(part) ?? part, format, quality),
    })),
  );
  return [...files, ...whole];
}

/** What nobody should take for more than it is. */
export function pastedBack(outputs: Outputs): string {
  const committed = outputsBeside(outputs, CROP).images.join(", ");
  return `${
    outputs.images.join(", ")
  }: the part that was drawn is put back where the mask is white; ` +
    `receipts are of the part alone, ${committed}`;
}

/** Image, mask, and what they become. @throws AppError `invalid_request` naming the flag. */
export async function prepareSources(
  files: SourceFiles,
  flags: GenerateFlags,
): Promise<PreparedSources> {
  const { maskBlur, onlyMasked, outpaint, padding } = flags;
  if (padding !== undefined && !onlyMasked) refuse("--padding is of --only-masked: give that too");
  if ((outpaint ?? onlyMasked ?? maskBlur) === undefined) return { sources: files, made: {} };
  refuseOthers(files, flags);
  const blur = maskBlur === undefined ? 0 : numberOf("--mask-blur", maskBlur, MAX_BLUR);
  const { image, mask } = outpaint === undefined
    ? { image: files.image?.pixels, mask: files.mask?.pixels }
    : outpainted(files.image?.pixels ?? refuse("--outpaint is of --image"), marginsOf(outpaint));
  if (!image || !mask) return refuse("--mask-blur and --only-masked are of --mask: give that too");
  if (mask.width !== image.width || mask.height !== image.height) {
    refuse(
      `the mask is ${mask.width}x${mask.height} pixels, and the image ${image.width}x${image.height}`,
    );
  }
  const soft = blurredMask(mask, blur);
  if (outpaint !== undefined) {
    const { width, height } = image;
    return { ...await madeOf(files, { image, mask: soft }), size: { width, height } };
  }
  if (!onlyMasked) return await madeOf(files, { mask: soft });
  const pad = padding === undefined ? PADDING : numberOf("--padding", padding, MAX_MARGIN);
  const box = maskedBox(soft, pad, aspectOf(flags));
  return {
    ...await madeOf(files, { image: cropped(image, box), mask: cropped(soft, box) }),
    paste: (part) => pasted(image, box satisfies Box, part, soft),
  };
}

/** PNGs, which lose nothing. */
async function madeOf(
  files: SourceFiles,
  pixels: Readonly<Partial<Record<"image" | "mask", RgbaImage>>>,
): Promise<PreparedSources> {
  let sources = files;
  const made: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const what of ["image", "mask"] as const) {
    const own = pixels[what];
    if (!own) continue;
    const file = await encodeImage(own, "png");
    made[what === "image" ? "-source" : "-mask"] = file;
    sources = { ...sources, [what]: { sha256: fileHash(file), pixels: own } };
  }
  return { sources, made };
}

function refuseOthers(
  { mask }: SourceFiles,
  { outpaint, onlyMasked, parent, upscale }: GenerateFlags,
): void {
  if (upscale !== undefined) refuse("--upscale enlarges a whole image: leave --outpaint out");
  if (outpaint !== undefined && (mask || onlyMasked)) {
    refuse("--outpaint makes its own mask: leave --mask and --only-masked out");
  }
  if (parent !== undefined && (outpaint !== undefined || onlyMasked)) {
    refuse("with --outpaint and --only-masked the run starts from another file than the parent's");
  }
}

function aspectOf({ width, height }: GenerateFlags): number | undefined {
  const aspect = Number(width) / Number(height);
  return aspect > 0 && Number.isFinite(aspect) ? aspect : undefined;
}

function marginsOf(text: string) {
  const [left, top, right, bottom, ...more] = text.split(",").map((each) =>
    numberOf("--outpaint", each, MAX_MARGIN)
  );
  if (bottom === undefined || more.length > 0) {
    return refuse(`--outpaint is ${text}, not four numbers: left,top,right,bottom`);
  }
  return { left, top, right, bottom };
}

function numberOf(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= max) return value;
  return refuse(`${flag} has ${text}, not a whole number of pixels from 0 to ${max}`);
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot generate: ${why}`);
}
