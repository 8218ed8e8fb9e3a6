import { counted } from "../../core/counted.ts";
import { type FileHandle, open } from "node:fs/promises";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { AppError, reason } from "../../core/error.ts";
import { REQUEST_LIMITS } from "../../core/request_limits.ts";
import {
  decodeReceipt,
  encodeReceipt,
  type Hash,
  leafHash,
  type Receipt,
} from "../../core/transcript/mod.ts";
import { sha256Of } from "../storage/mod.ts";
import type { StoredTranscript } from "./transcript_store.ts";

/**
 * A kept transcript as a file: the leaves' bytes one after the other, those of the files that its request
 * names, the index as JSON, and a trailer of 48 bytes: length of the index (u64, little-endian), its SHA-256, "stepwise".
 */
const TRAILER = 48;
const MAGIC = "stepwise";
/** A state before and after each step, a prediction of each, the image, and what a run starts from. */
const MAX_LEAVES = 2 * REQUEST_LIMITS.steps + 2 + 3;
/** So many leaves and the longest receipt take less than a quarter of it. */
const MAX_INDEX = 4 * 2 ** 20;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const indexSchema = z.strictObject({
  version: z.literal(1),
  receipt: z.string(),
  /** Bytes and hash of each leaf. */
  leaves: z.array(z.tuple([z.int().min(0), hash])).max(MAX_LEAVES),
  /** SHA-256 and bytes of each file that the request names. */
  inputs: z.array(z.tuple([hash, z.int().min(0)])).max(MAX_LEAVES).default([]),
});

/** SHA-256 and bytes of a file that is kept with a transcript. */
export type KeptInput = readonly [sha256: string, bytes: number];

/** Index and trailer: all that follows the leaves. */
export function encodeIndex(
  receipt: Receipt,
  lengths: readonly number[],
  hashes: readonly Hash[],
  inputs: readonly KeptInput[] = [],
): Uint8Array<ArrayBuffer> {
  const index = new TextEncoder().encode(JSON.stringify({
    version: 1,
    receipt: new TextDecoder().decode(encodeReceipt(receipt)),
    leaves: lengths.map((length, k) => [length, bytesToHex(hashes[k])]),
    ...(inputs.length > 0 && { inputs }),
  }));
  const bytes = new Uint8Array(index.length + TRAILER);
  bytes.set(index);
  new DataView(bytes.buffer).setBigUint64(index.length, BigInt(index.length), true);
  bytes.set(hexToBytes(sha256Of(index)), index.length + 8);
  bytes.set(new TextEncoder().encode(MAGIC), index.length + 40);
  return bytes;
}

/**
 * @throws AppError `transcript_not_found` when there is no such file, `transcript_invalid` when it
 * is damaged, `storage_failed`.
 */
export async function openTranscript(path: string): Promise<StoredTranscript> {
  const file = await open(path).catch((cause) =>
    cause.code === "ENOENT"
      ? refuse("transcript_not_found", path, "it is not kept")
      : refuse("storage_failed", path, reason(cause))
  );
  try {
    return new DiskTranscript(path, file, await readIndex(file, path));
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Index {
  readonly receipt: Receipt;
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
  readonly hashes: readonly Hash[];
  readonly inputs: ReadonlyMap<string, { readonly offset: number; readonly bytes: number }>;
}

async function readIndex(file: FileHandle, path: string): Promise<Index> {
  const { size } = await file.stat();
  if (size < TRAILER) refuse("transcript_invalid", path, `it has ${counted(size, "byte")}`);
  const trailer = await readAt(file, path, size - TRAILER, TRAILER);
  const length = Number(new DataView(trailer.buffer).getBigUint64(0, true));
  const whole = new TextDecoder().decode(trailer.subarray(40)) === MAGIC;
  if (!whole || length > Math.min(MAX_INDEX, size - TRAILER)) {
    refuse("transcript_invalid", path, "its end is not a transcript's");
  }
  const bytes = await readAt(file, path, size - TRAILER - length, length);
  if (sha256Of(bytes) !== bytesToHex(trailer.subarray(8, 40))) {
    refuse("transcript_invalid", path, "its index is damaged");
  }
  return decodeIndex(bytes, path, size - TRAILER - length);
}

function decodeIndex(bytes: Uint8Array, path: string, before: number): Index {
  const { receipt, leaves, inputs } = parseIndex(bytes, path);
  const offsets: number[] = [];
  let at = 0;
  for (const [length] of leaves) {
    offsets.push(at);
    at += length;
  }
  const files = new Map<string, { offset: number; bytes: number }>();
  for (const [sha256, length] of inputs) {
    files.set(sha256, { offset: at, bytes: length });
    at += length;
  }
  if (at !== before) {
    refuse("transcript_invalid", path, `its leaves and files are not ${counted(at, "byte")}`);
  }
  return {
    receipt: decodeReceipt(new TextEncoder().encode(receipt)),
    offsets,
    lengths: leaves.map(([length]) => length),
    hashes: leaves.map(([, hash]) => hexToBytes(hash)),
    inputs: files,
  };
}

function parseIndex(bytes: Uint8Array, path: string): z.infer<typeof indexSchema> {
  try {
    return indexSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    return refuse("transcript_invalid", path, `its index is wrong: ${reason(cause)}`);
  }
}

class DiskTranscript implements StoredTranscript {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #index: Index;

  constructor(path: string, file: FileHandle, index: Index) {
    this.#path = path;
    this.#file = file;
    this.#index = index;
  }

  get receipt(): Receipt {
    return this.#index.receipt;
  }

  get hashes(): readonly Hash[] {
    return this.#index.hashes;
  }

  /** A disk may be wrong: what is served was hashed again. */
  async leaf(position: number): Promise<Uint8Array<ArrayBuffer>> {
    const { offsets, lengths, hashes } = this.#index;
    if (!(position in offsets)) {
      refuse("transcript_not_found", this.#path, `leaf ${position} is not in it`);
    }
    const bytes = await readAt(this.#file, this.#path, offsets[position], lengths[position]);
    if (bytesToHex(leafHash(position, bytes)) !== bytesToHex(hashes[position])) {
      refuse("transcript_invalid", this.#path, `leaf ${position} is damaged`);
    }
    return bytes;
  }

  async input(sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    const found = this.#index.inputs.get(sha256);
    if (!found) {
      return refuse("transcript_not_found", this.#path, `no file ${sha256.slice(0, 12)} is in it`);
    }
    const bytes = await readAt(this.#file, this.#path, found.offset, found.bytes);
    if (sha256Of(bytes) === sha256) return bytes;
    return refuse("transcript_invalid", this.#path, `its file ${sha256.slice(0, 12)} is damaged`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function readAt(
  file: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) refuse("transcript_invalid", path, "it is shorter than it says");
    at += bytesRead;
  }
  return bytes;
}

function refuse(
  code: "storage_failed" | "transcript_invalid" | "transcript_not_found",
  path: string,
  why: string,
): never {
  throw new AppError(code, `Cannot read ${path}: ${why}`);
}
