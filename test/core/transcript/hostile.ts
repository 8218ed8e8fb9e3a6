import { expect } from "vitest";
import { AppError, type ErrorCode } from "../../../core/error.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** The code of the AppError that a call throws; undefined when it throws nothing. */
export function codeOf(call: () => unknown): ErrorCode | undefined {
  const error = thrownBy(call);
  if (error === undefined) return undefined;
  expect(error).toBeInstanceOf(AppError);
  return error instanceof AppError ? error.code : undefined;
}

/** The same bytes with one bit the other way round. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
}
