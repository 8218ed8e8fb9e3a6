import type { ElementType, Tensor } from "./tensor.ts";

/** A tensor as JSON can carry it. */
export interface SentTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** float16 as bits; what JSON has no number for is null. */
  readonly values: readonly (number | null)[];
}

export function sendTensor({ type, dims, data }: Tensor): SentTensor {
  return { type, dims, values: Array.from(data as ArrayLike<number | bigint>, Number) };
}

export function receiveTensor({ type, dims, values }: SentTensor): Tensor {
  const numbers = values.map((value) => value ?? NaN);
  switch (type) {
    case "float32":
      return { type, dims, data: Float32Array.from(numbers) };
    case "float16":
      return { type, dims, data: Uint16Array.from(numbers) };
    case "int32":
      return { type, dims, data: Int32Array.from(numbers) };
    case "int64":
      return { type, dims, data: BigInt64Array.from(numbers, BigInt) };
    default:
      return type satisfies never;
  }
}
