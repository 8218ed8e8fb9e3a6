import { AppError } from "../error.ts";
import { decodeImage, imageFormatOfType, type RgbaImage } from "../image/mod.ts";
import type { Receipt } from "../transcript/mod.ts";
import type { Upscaler } from "../upscale/mod.ts";
import { type CheckedReceipt, checkStatement } from "./check_receipt.ts";
import { fileHash } from "../transcript/mod.ts";
import { fileLimits } from "./file_limits.ts";
import { Refusal } from "./refusal.ts";
import { meanOf } from "./mean.ts";
import { decibels, squaresByTile } from "./psnr.ts";

/** The receipt that a request goes on from, as a checker has it. */
export interface ParentEvidence {
  readonly receipt: Receipt;
  /** Its image's file, and what enlarged it, where the request names an upscaler. */
  readonly enlarged?: { readonly file: Uint8Array<ArrayBuffer>; readonly upscaler: Upscaler };
}

/** What a source is against the parent that its request names. */
export interface ParentComparison {
  /** Its id. */
  readonly receipt: string;
  /** What that one goes on from itself, by its id. */
  readonly parent?: string;
  /** What enlarged it; undefined where the source is the parent's own file. */
  readonly upscaler?: string;
  /** The source against what the upscaler makes; undefined where it is the same file. */
  readonly image?: Likeness & { readonly tile: Likeness };
}

/** Decibels; Infinity for equal pixels. */
interface Likeness {
  readonly psnr: number;
  readonly floor: number;
}

/**
 * Compares the source of a run, at the request's size, with its parent.
 * @returns undefined where that takes more than the checker has.
 */
export type CompareParent = (source?: RgbaImage) => Promise<ParentComparison | undefined>;

/**
 * Level 0 for a parent: it is the one that the request names, signed, and its image is the source
 * itself unless something enlarged it.
 * @returns level 3.
 * @throws Refusal where the source is another file than the parent's; AppError `invalid_request` for
 * evidence that is not of this parent, which is the checker's own.
 */
export function checkParent(
  { receipt: { request } }: Pick<CheckedReceipt, "receipt">,
  { receipt, enlarged }: ParentEvidence,
): CompareParent {
  const { id } = checkStatement(receipt, {});
  if (id !== request.parent) {
    refuse(`the receipt ${id} is given for its parent, which is ${request.parent ?? "none"}`);
  }
  const own = receipt.request.parent === undefined ? {} : { parent: receipt.request.parent };
  if (request.upscaler === undefined) {
    if (request.image !== receipt.image.sha256) {
      throw new Refusal(
        new AppError(
          "receipt_mismatch",
          `Cannot accept the receipt: the image that it starts from is not that of its parent ${id}`,
        ),
      );
    }
    return () => Promise.resolve({ receipt: id, ...own });
  }
  if (!enlarged) return () => Promise.resolve(undefined);
  const { file, upscaler } = enlarged;
  if (fileHash(file) !== receipt.image.sha256) refuse("a file is given that is not its parent's");
  if (upscaler.id !== request.upscaler) {
    refuse(`${upscaler.id} is given as the upscaler, which is ${request.upscaler}`);
  }
  return async (source) => {
    if (!source) return undefined;
    const image = await decodeImage(file, imageFormatOfType(receipt.image.mediaType), {
      width: receipt.request.width,
      height: receipt.request.height,
    });
    const again = await upscaler.enlarge(image, source);
    return { receipt: id, ...own, upscaler: upscaler.id, image: compareEnlarged(source, again) };
  };
}

/**
 * Lanczos is the same on every machine. A network's sums differ in their last digits, which makes a
 * level of 255 here and there: as for a PNG of a model in float32, ten times what was measured.
 */
const LIMITS = fileLimits("png", "float32");

function compareEnlarged(source: RgbaImage, again: RgbaImage) {
  const squares = squaresByTile(source, again);
  return {
    psnr: decibels(meanOf(squares)),
    floor: decibels(LIMITS.image.base),
    tile: { psnr: decibels(Math.max(...squares)), floor: decibels(LIMITS.tile.base) },
  };
}

export function passesParent({ image }: ParentComparison): boolean {
  return !image ||
    (image.psnr >= image.floor && image.tile.psnr >= image.tile.floor);
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
