import { writtenFiles } from "./outputs.ts";
import { AppError } from "../../core/error.ts";
import { decodeImage, encodeImage, imageFormatOf, type RgbaImage } from "../../core/image/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { fileHash, receiptId } from "../../core/transcript/mod.ts";
import { enlargedSize, type Size, type Upscaler } from "../../core/upscale/mod.ts";
import type { Progress } from "../cli/mod.ts";
import { fittedSources, type SourceFiles } from "../sources/mod.ts";
import type { OutputFile } from "../storage/mod.ts";
import type { GenerateFlags } from "./input.ts";
import { type Outputs, outputsBeside, planOutputs, pngBeside, writeOutputs } from "./outputs.ts";
import { type FinishedRequest, type RunContext, runRequest } from "./run_request.ts";

/** What `--upscale` and what belongs to it ask for. */
export interface Upscaling {
  readonly factor: number;
  /** Strength of the run that goes on from the enlarged image; undefined for none. */
  readonly refine: number | undefined;
}

/** An image made larger, as a file that a request can name. */
export interface Enlarged {
  readonly pixels: RgbaImage;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** Of `--refine` without a number: what keeps the picture and draws its details anew. */
const DEFAULT_REFINE = 0.35;
const MAX_FACTOR = 8;
/** Of the files beside the last image: what was drawn first, and what it was enlarged to. */
const [FIRST, ENLARGED] = ["-first", "-enlarged"];

/** @throws AppError `invalid_request` naming the flag. */
export function upscalingOf(flags: GenerateFlags): Upscaling | undefined {
  const { upscale, refine } = flags;
  if (upscale === undefined) {
    for (const flag of ["refine", "upscaler"] as const) {
      if (flags[flag] !== undefined) refuse(`--${flag} is of --upscale: give that too`);
    }
    return undefined;
  }
  refuseOthers(flags);
  const factor = Number(upscale);
  if (!(factor > 1 && factor <= MAX_FACTOR)) {
    refuse(`--upscale is ${upscale}, not a number above 1, at most ${MAX_FACTOR}`);
  }
  if (refine === undefined) return { factor, refine };
  const strength = refine === true ? DEFAULT_REFINE : Number(refine);
  if (strength > 0 && strength <= 1) return { factor, refine: strength };
  return refuse(`--refine is ${refine}, not a number above 0, at most 1`);
}

/** Flags that mean something else there. */
function refuseOthers(flags: GenerateFlags): void {
  const { image, mask, strength, width, height, batch = "1" } = flags;
  if (batch !== "1") refuse(`--upscale enlarges one image, and --batch is ${batch}; leave it out`);
  if (mask !== undefined) refuse("--upscale enlarges a whole image: leave --mask out");
  if (strength !== undefined) refuse("with --upscale the strength is that of --refine");
  if (image !== undefined && (width ?? height) !== undefined) {
    refuse("--upscale says the size: leave --width and --height out");
  }
}

/** A PNG, which loses nothing. */
export async function enlarge(
  image: RgbaImage,
  { factor }: Upscaling,
  upscaler: Upscaler,
): Promise<Enlarged> {
  const pixels = await upscaler.enlarge(image, enlargedSize(image, factor));
  return { pixels, file: await encodeImage(pixels, "png") };
}

export function sourceOf({ pixels, file }: Enlarged): NonNullable<SourceFiles["image"]> {
  return { sha256: fileHash(file), pixels };
}

export function sizeOf({ pixels: { width, height } }: Enlarged): Size {
  return { width, height };
}

/** Suffixes of the files that there will be beside the image. @param ahead of `--image`. */
export function filesBeside(
  upscaling: Upscaling | undefined,
  ahead: Enlarged | undefined,
): string[] {
  if (!upscaling) return [];
  return [...ahead ? [] : [FIRST], ...upscaling.refine === undefined ? [] : [ENLARGED]];
}

/** What a refined image's request names: whoever checks it needs it. */
export function enlargedFile({ file }: Enlarged, outputs: Outputs): OutputFile {
  return { path: pngBeside(outputs, ENLARGED), bytes: file };
}

/** Enlarges an image that was made elsewhere, and no more. */
export async function writeEnlarged(
  { pixels }: Enlarged,
  flags: GenerateFlags,
  progress: Progress,
): Promise<void> {
  const outputs = await planOutputs(
    { ...flags, receiptOut: undefined, transcriptOut: undefined },
    { seed: 0n, batch: 1 },
  );
  const [path] = outputs.images;
  const format = path === "-" ? "png" : imageFormatOf(path);
  await writeOutputs([{ path, bytes: await encodeImage(pixels, format) }]);
  for (const each of writtenFiles([path])) progress.say(each);
  progress.say(onlyEnlarged(path));
}

/** Makes an image, enlarges it, and draws it anew where that is asked for. */
export async function generateEnlarged(
  context: RunContext,
  request: GenerationRequest,
  outputs: Outputs,
  { upscaling, upscaler, sources }: {
    readonly upscaling: Upscaling;
    readonly upscaler: Upscaler;
    /** Control images, which both runs see. */
    readonly sources: SourceFiles;
  },
): Promise<FinishedRequest> {
  const { format, quality } = context;
  const own = fittedSources(sources, request);
  const first = await runRequest(context, request, own, outputsBeside(outputs, FIRST));
  // Of the file, as whoever checks it has it: JPEG and WebP change pixels.
  const image = await decodeImage(first.encoded[0], format, request);
  const enlarged = await enlarge(image, upscaling, upscaler);
  const { pixels } = enlarged;
  const { refine } = upscaling;
  if (refine === undefined) {
    const bytes = await encodeImage(pixels, format, quality);
    return { ...first, files: [...first.files, { path: outputs.images[0], bytes }] };
  }
  const parent = first.receipts.at(0);
  const next = {
    ...{ ...request, ...sizeOf(enlarged), image: fileHash(enlarged.file), strength: refine },
    ...{ parent: parent && receiptId(parent), upscaler: parent && upscaler.id },
  };
  const again = fittedSources({ ...sources, image: sourceOf(enlarged) }, next);
  const last = await runRequest(context, next, again, outputs);
  return {
    ...last,
    receiptPaths: [...first.receiptPaths, ...last.receiptPaths],
    files: [...first.files, enlargedFile(enlarged, outputs), ...last.files],
  };
}

/** What nobody should take for more than it is. */
export function onlyEnlarged(path: string): string {
  const what = path === "-" ? "The image" : path;
  return `${what} is an enlargement alone: no step was run on it, and no receipt is of it ` +
    "(--refine draws it anew)";
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot generate: ${why}`);
}
