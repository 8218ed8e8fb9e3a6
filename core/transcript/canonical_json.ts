import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";

/** Deeper than any document of ours; keeps a hostile one from using up the stack. */
const MAX_DEPTH = 32;

/**
 * JSON that is the same text for the same value everywhere: no white space, keys sorted by UTF-16
 * code units, numbers as ECMAScript writes them.
 * @throws AppError `json_invalid` for what JSON cannot carry exactly (NaN, an infinity, half a
 * surrogate pair, undefined, bigint) and for more than 32 levels.
 * @see RFC 8785.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) refuse(`it is nested more than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
  if (typeof value === "object" && value !== null) return writeObject(value, depth);
  return writeScalar(value);
}

function writeObject(value: object, depth: number): string {
  // The default order of sort is by UTF-16 code units, which is what the RFC asks for.
  const members = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, item]) => `${writeScalar(key)}:${write(item, depth + 1)}`);
  return `{${members.join(",")}}`;
}

function writeScalar(value: unknown): string {
  if (typeof value === "string" && !value.isWellFormed()) {
    refuse("a text is not well-formed Unicode");
  }
  if (typeof value === "number" && !Number.isFinite(value)) refuse(`a number is ${value}`);
  const plain = value === null || ["string", "number", "boolean"].includes(typeof value);
  return plain ? JSON.stringify(value) : refuse(`a value is of type ${typeof value}`);
}

function refuse(why: string): never {
  throw new AppError("json_invalid", `Cannot write canonical JSON: ${why}`);
}

/** @returns SHA-256 of the canonical JSON's UTF-8, in lower-case hex. */
export function jsonHash(value: unknown): string {
  return bytesToHex(sha256(new TextEncoder().encode(canonicalJson(value))));
}
