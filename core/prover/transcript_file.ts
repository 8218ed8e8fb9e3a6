import { parseJsonText } from "../json_text.ts";
import { z } from "zod";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import { encodeRequest } from "../request/mod.ts";
import type { Generation } from "../generation/mod.ts";
import type { Leaf } from "../denoise/mod.ts";
import {
  type Commitment,
  type Hash,
  imageLeaf,
  leafHash,
  leafNameAt,
  type Receipt,
  sourcesOf,
} from "../transcript/mod.ts";
import { decodeSafetensors, encodeSafetensors, type NamedHalf } from "../safetensors/mod.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import type { LeafSource } from "./open_step.ts";

const MAX_HEADER_BYTES = 2 ** 20;

/**
 * A run's states and predictions as safetensors: each [batch, channels, height, width]. The hashes
 * of the images' leaves go with them, so that leaves can be proven without the images.
 */
export function transcriptFile(
  { request, latentDims }: Pick<Generation, "request" | "latentDims">,
  leaves: readonly Leaf[],
  commitments: readonly Pick<Commitment, "hashes">[],
): Uint8Array<ArrayBuffer> {
  const dims = [request.batch, ...latentDims];
  const imageLeaves = commitments.flatMap(({ hashes }) => hashes.slice(-1).map(bytesToHex));
  return encodeSafetensors(
    leaves.map(({ kind, index, bits }) => ({ name: `${kind}.${index}`, dims, bits })),
    { request: JSON.stringify(encodeRequest(request)), imageLeaves: imageLeaves.join(",") },
  );
}

/**
 * The leaves of a receipt's image out of a transcript file. Nothing in it is trusted: what does not
 * belong to the receipt fails its proof.
 * @param file at most {@link maxTranscriptBytes} long.
 * @param image the image's file, if there; otherwise its leaf's hash is taken from the transcript.
 * @throws AppError `transcript_invalid` when leaves are missing or are not of the receipt's shape.
 */
export function leavesOfTranscript(
  file: Uint8Array<ArrayBuffer>,
  receipt: Receipt,
  image?: Uint8Array,
): LeafSource {
  const { tensors, metadata } = decodeSafetensors(file);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const sources = sourcesOf(receipt);
  const count = imageLeaf(receipt.steps, sources);
  const k = imageIndex(metadata, receipt, byName.get("x.0")?.dims[0] ?? 1);
  const leaves = Array.from(
    { length: count },
    (_, position) => leafOf(byName, leafNameAt(position, sources), receipt, k),
  );
  const last = image ? leafHash(count, image) : hashOf(metadata.imageLeaves?.split(",")[k] ?? "");
  const hashes: Hash[] = [...leaves.map((bytes, position) => leafHash(position, bytes)), last];
  return { hashes, leaf: (position) => Promise.resolve(leaves[position]) };
}

function leafBytes({ latent }: Receipt): number {
  return latent.reduce((product, side) => product * side, 2);
}

/** The longest transcript file that a receipt of this shape can be part of. */
export function maxTranscriptBytes(receipt: Receipt): number {
  return 8 + MAX_HEADER_BYTES +
    REQUEST_LIMITS.batch * imageLeaf(receipt.steps, sourcesOf(receipt)) *
      leafBytes(receipt);
}

/** Which image of the batch the receipt is of: each has the next seed. */
function imageIndex(
  metadata: Readonly<Record<string, string>>,
  { request }: Receipt,
  batch: number,
): number {
  if (batch === 1) return 0;
  const first = firstSeed(metadata.request);
  const k = first === undefined ? -1 : Number(BigInt(request.seed) - first);
  if (k >= 0 && k < batch) return k;
  return refuse(`none of its ${batch} images has the seed ${request.seed}`);
}

const seedOfRequest = z.object({ seed: z.string().regex(/^[0-9]{1,20}$/) });

/** Of the run's request, as {@link transcriptFile} writes it. */
function firstSeed(request = ""): bigint | undefined {
  try {
    return BigInt(seedOfRequest.parse(parseJsonText(request)).seed);
  } catch {
    return undefined;
  }
}

function leafOf(
  byName: ReadonlyMap<string, NamedHalf>,
  name: string,
  receipt: Receipt,
  k: number,
): Uint8Array<ArrayBuffer> {
  const tensor = byName.get(name) ?? refuse(`${name} is missing`);
  const shape = tensor.dims.slice(1);
  if (tensor.dims[0] <= k || shape.join() !== receipt.latent.join()) {
    refuse(`${name} has the shape [${tensor.dims}], not [*,${receipt.latent}]`);
  }
  const { buffer, byteOffset } = tensor.bits;
  const bytes = leafBytes(receipt);
  return new Uint8Array(buffer, byteOffset + k * bytes, bytes).slice();
}

function hashOf(hex: string): Hash {
  if (/^[0-9a-f]{64}$/.test(hex)) return hexToBytes(hex);
  return refuse("it does not state the image's hash: give the image");
}

function refuse(why: string): never {
  throw new AppError("transcript_invalid", `Cannot use the transcript: ${why}`);
}
