/**
 * Fields of protobuf messages, to be joined.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import { concatBytes } from "@noble/hashes/utils.js";

/** @param value a whole number; of one below 0 the two's complement in 64 bits is written. */
export function varintField(field: number, value: number): Uint8Array {
  return concatBytes(varint(field * 8), value < 0 ? negativeVarint(value) : varint(value));
}

export function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concatBytes(varint(field * 8 + 5), bytes);
}

/** A length-delimited field: a message of these fields, or bytes. */
export function message(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concatBytes(varint(field * 8 + 2), varint(length), ...parts);
}

export function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push(rest % 128 + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function negativeVarint(value: number): Uint8Array {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Uint8Array.from(
    { length: 10 },
    (_, i) => Number((bits >> BigInt(7 * i)) & 0x7fn) + (i < 9 ? 128 : 0),
  );
}
