import { counted } from "../counted.ts";
import { parseJsonText } from "../json_text.ts";
import { concatBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { AppError } from "../error.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { leafNameAt } from "./leaves.ts";
import { type Hash, HASH_BYTES, proofLength } from "./merkle.ts";
import type { OpeningSpec } from "./opening_spec.ts";
import { safetensorsHeader } from "../safetensors/mod.ts";

/** Six leaves and the proof in a tree of 2,002 leaves take less than half of it. */
const MAX_HEADER_BYTES = 4096;
const FORMAT = "stepwise-opening-v1";

const headerSchema = z.looseObject({
  __metadata__: z.strictObject({
    format: z.literal(FORMAT),
    /** Base64 of the hashes, one after the other. */
    proof: z.string(),
    receipt: z.string(),
    target: z.string(),
  }),
});

/**
 * Length and JSON header of an opening, byte by byte: keys in this order, no white space but the
 * spaces that fill up to a multiple of 8.
 */
export function openingHeader(spec: OpeningSpec, proof: readonly Hash[]): Uint8Array<ArrayBuffer> {
  const metadata = {
    format: FORMAT,
    proof: encodeBase64(concatBytes(...proof)),
    receipt: spec.receipt,
    target: String(spec.target),
  };
  const tensors = namesOf(spec).map((name) => ({ name, dims: spec.latent }));
  return safetensorsHeader(tensors, metadata);
}

function namesOf({ run: { first, last }, sources }: OpeningSpec): string[] {
  return Array.from({ length: last - first + 1 }, (_, k) => leafNameAt(first + k, sources));
}

/**
 * The one thing that a header adds to the spec; the rest is compared, so that an error can say what
 * differs.
 * @throws AppError as `decodeOpening`.
 */
export function proofOfHeader(bytes: Uint8Array, spec: OpeningSpec): Hash[] {
  const { __metadata__: metadata, ...tensors } = parseHeader(bytes);
  if (metadata.receipt !== spec.receipt || metadata.target !== String(spec.target)) {
    throw new AppError(
      "opening_mismatch",
      `Cannot take the opening: it is of step ${metadata.target.slice(0, 20)} of receipt ` +
        `${metadata.receipt.slice(0, 64)}, not of ${spec.target} of ${spec.receipt}`,
    );
  }
  checkTensors(tensors, spec);
  return hashesOf(metadata.proof, proofLength(spec.leaves, spec.run));
}

function parseHeader(bytes: Uint8Array): z.infer<typeof headerSchema> {
  const length = bytes.length < 8
    ? Infinity
    : Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > Math.min(MAX_HEADER_BYTES, bytes.length - 8)) {
    refuse(`its header claims ${counted(length, "byte")} of ${bytes.length}`);
  }
  const result = headerSchema.safeParse(parseJson(bytes.subarray(8, 8 + length)));
  return result.success ? result.data : refuse("its header is not an opening's", result.error);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    return refuse("its header is not JSON in UTF-8", cause);
  }
}

function checkTensors(tensors: Readonly<Record<string, unknown>>, spec: OpeningSpec): void {
  const expected = namesOf(spec);
  const names = Object.keys(tensors);
  if (names.length !== expected.length || names.some((name, k) => name !== expected[k])) {
    refuse(`its tensors are not ${expected.join(", ")}`);
  }
  for (const name of expected) {
    const { shape } = (tensors[name] ?? {}) as { readonly shape?: unknown };
    if (JSON.stringify(shape) !== JSON.stringify(spec.latent)) {
      throw new AppError(
        "shape_mismatch",
        `Cannot take the opening: the shape of ${name} is not ${spec.latent.join(", ")}`,
      );
    }
  }
}

/** Base64 in another spelling decodes too: the comparison of whole headers refuses it. */
function hashesOf(text: string, count: number): Hash[] {
  const bytes = decodeBase64(text.length <= MAX_HEADER_BYTES ? text : "");
  if (bytes.length !== count * HASH_BYTES) {
    throw new AppError(
      "proof_invalid",
      `Cannot take the opening: its proof has ${counted(bytes.length, "byte")}, not ${
        count * HASH_BYTES
      }`,
    );
  }
  return Array.from(
    { length: count },
    (_, k) => bytes.subarray(k * HASH_BYTES, (k + 1) * HASH_BYTES),
  );
}

function refuse(why: string, cause?: unknown): never {
  throw new AppError("opening_invalid", `Cannot read an opening: ${why}`, { cause });
}
