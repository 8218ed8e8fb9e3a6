import { decodeSources, sizeOfSource, type SourceFiles } from "../../../core/generation/mod.ts";
import { decodeDraft } from "../../../core/request/mod.ts";
import type { GenerateOrder, InputBlobs } from "../api/mod.ts";
import { digest, hashOfBlob } from "./file_hash.ts";

/** What an image of this tab is made from. */
export interface OwnInputs {
  readonly files: SourceFiles;
  /** Of the images, by their hashes. */
  readonly bytes: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** In the shape of the image, or of the picture with the edges, where there is one. */
  readonly size: { readonly width: number; readonly height: number };
  /** Fields of its request that name them. */
  readonly named: Readonly<Record<string, unknown>>;
  /** LoRAs alone, by their hashes. */
  readonly loras: InputBlobs;
  /** All of them. */
  readonly blobs: InputBlobs;
}

const NOT_ASKED = { width: undefined, height: undefined };

/** What of an order says where an image comes from. */
export type OrderedInputs = Pick<GenerateOrder, "size" | "source" | "control" | "loras">;

/** Hashes and decodes what the reader gave. @throws AppError `invalid_request`. */
export async function ownInputs(
  { size, source, control, loras = [] }: OrderedInputs,
): Promise<OwnInputs> {
  const images = new HashedBlobs();
  const weights: Record<string, Blob> = {};
  const named = {
    ...(source && {
      image: await images.add(source.image),
      mask: source.mask && await images.add(source.mask),
      ...{ strength: source.strength, parent: source.parent, upscaler: source.upscaler },
    }),
    ...(control && {
      control: [{
        image: await images.add(control.image),
        ...{ preprocess: control.preprocess, scale: control.scale },
      }],
    }),
    adapters: await adaptersOf(loras, weights),
  };
  const request = decodeDraft(named, { seed: 0n });
  const files = await decodeSources(request, images.bytes);
  // One that was enlarged is not made smaller again.
  const exact = source?.upscaler === undefined ? undefined : files.image?.pixels;
  const square = { width: size, height: size };
  return {
    ...{ files, bytes: images.bytes },
    size: exact
      ? { width: exact.width, height: exact.height }
      : { ...square, ...sizeOfSource(files, NOT_ASKED, square) },
    ...{ named, loras: weights, blobs: { ...images.blobs, ...weights } },
  };
}

/** @param weights gets the files: one is large, and is not kept in memory. */
async function adaptersOf(
  loras: NonNullable<GenerateOrder["loras"]>,
  weights: Record<string, Blob>,
) {
  const adapters = [];
  for (const { file, scale } of loras) {
    const sha256 = await hashOfBlob(file);
    weights[sha256] = file;
    adapters.push({ sha256, scale });
  }
  return adapters;
}

/** Files by their SHA-256. */
class HashedBlobs {
  readonly bytes = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly blobs: Record<string, Blob> = {};

  async add(blob: Blob): Promise<string> {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const sha256 = await digest(bytes);
    this.bytes.set(sha256, bytes);
    this.blobs[sha256] = blob;
    return sha256;
  }
}
