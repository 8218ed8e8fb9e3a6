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

/** The largest buffer, in bytes, that is asked for while something runs. */
export function largestBuffer(run: () => unknown): number {
  let largest = 0;
  const watched = [ArrayBuffer, Uint8Array, Uint16Array, Float32Array] as const;
  const scope = globalThis as unknown as Record<string, unknown>;
  for (const type of watched) {
    const width = "BYTES_PER_ELEMENT" in type ? type.BYTES_PER_ELEMENT : 1;
    scope[type.name] = new Proxy(type, {
      construct: (target, args) => {
        if (typeof args[0] === "number") largest = Math.max(largest, width * args[0]);
        return Reflect.construct(target, args);
      },
    });
  }
  try {
    run();
  } finally {
    for (const type of watched) scope[type.name] = type;
  }
  return largest;
}
