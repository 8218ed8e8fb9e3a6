import { counted } from "../counted.ts";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import { allFiniteHalf } from "../half.ts";
import { bytesOfBits, leafNameAt, targetName } from "./leaves.ts";
import { type Hash, leafHash, proofLength, rootOfRun } from "./merkle.ts";
import { openingHeader, proofOfHeader } from "./opening_header.ts";
import type { OpeningSpec } from "./opening_spec.ts";

export interface Opening {
  /** u16[channels, height, width] float16 bits, one for each leaf of the run. */
  readonly leaves: readonly Uint16Array[];
  readonly proof: readonly Hash[];
}

/** Exact bytes of an opening: a client needs to read no more. */
export function openingBytes(spec: OpeningSpec): number {
  const hashes = proofLength(spec.leaves, spec.run);
  const header = openingHeader(spec, Array.from({ length: hashes }, () => new Uint8Array(32)));
  return header.length + bodyBytes(spec);
}

function leafBytes({ latent }: OpeningSpec): number {
  return latent.reduce((product, side) => product * side, 2);
}

function bodyBytes(spec: OpeningSpec): number {
  return (spec.run.last - spec.run.first + 1) * leafBytes(spec);
}

/** One binary body: safetensors with the run's leaves, the proof in its metadata. */
export function encodeOpening(spec: OpeningSpec, { leaves, proof }: Opening): Uint8Array {
  const header = openingHeader(spec, proof);
  const body = new Uint8Array(header.length + bodyBytes(spec));
  body.set(header);
  leaves.forEach((bits, k) => body.set(bytesOfBits(bits), header.length + k * leafBytes(spec)));
  return body;
}

/**
 * Reads an opening and proves its leaves. Takes time and memory by the spec, whatever the bytes
 * claim, and accepts each opening in one spelling only, so that no bit of it is free.
 * @throws AppError `opening_invalid` (cut, too long, reordered, another spelling),
 * `opening_mismatch` (another receipt or target), `shape_mismatch`, `proof_invalid`, `not_finite`.
 */
export function decodeOpening(bytes: Uint8Array, spec: OpeningSpec): Opening {
  const proof = proofOfHeader(bytes, spec);
  const header = openingHeader(spec, proof);
  const expected = header.length + bodyBytes(spec);
  if (bytes.length !== expected) refuse(`it has ${counted(bytes.length, "byte")}, not ${expected}`);
  if (header.some((byte, i) => byte !== bytes[i])) refuse("its header is not in the one spelling");
  const opening = { leaves: leavesOf(bytes.slice(header.length), spec), proof };
  checkProof(opening, spec);
  checkFinite(opening, spec);
  return opening;
}

function leavesOf(body: Uint8Array<ArrayBuffer>, spec: OpeningSpec): Uint16Array[] {
  const length = leafBytes(spec);
  return Array.from(
    { length: body.length / length },
    (_, k) => new Uint16Array(body.buffer, k * length, length / 2),
  );
}

function checkProof({ leaves, proof }: Opening, spec: OpeningSpec): void {
  const hashes = leaves.map((bits, k) => leafHash(spec.run.first + k, bytesOfBits(bits)));
  const root = rootOfRun(spec.leaves, spec.run, hashes, proof);
  if (bytesToHex(root) !== spec.root) {
    throw new AppError(
      "proof_invalid",
      `Cannot trust the opening of ${targetName(spec.target)}: its root is not the receipt's`,
    );
  }
}

function checkFinite({ leaves }: Opening, spec: OpeningSpec): void {
  const at = leaves.findIndex((bits) => !allFiniteHalf(bits));
  if (at >= 0) {
    throw new AppError(
      "not_finite",
      `Cannot check the opening of ${spec.target}: ${
        leafNameAt(spec.run.first + at, spec.sources)
      } is not finite`,
    );
  }
}

function refuse(why: string): never {
  throw new AppError("opening_invalid", `Cannot read an opening: ${why}`);
}
