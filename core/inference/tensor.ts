import { AppError } from "../error.ts";
import { fromHalf, toHalf } from "../half.ts";

export type ElementType = "float32" | "float16" | "int32" | "int64";

/** A tensor in memory, rows last. `float16` is kept as the bits of each number. */
export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array;
}

/** What a graph says of one input or output; an unnamed or symbolic dimension is a string. */
export interface TensorSpec {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** The values as the tensor that an input asks for: rounded to float16, or cut to integers. */
export function tensorFor(spec: TensorSpec, values: Float32Array, dims: readonly number[]): Tensor {
  return { type: spec.type, dims, data: elements(spec.type, values) };
}

function elements(type: ElementType, values: Float32Array): Tensor["data"] {
  switch (type) {
    case "float32":
      return values;
    case "float16":
      return toHalf(values);
    case "int32":
      return Int32Array.from(values);
    case "int64":
      return BigInt64Array.from(values, (value) => BigInt(Math.trunc(value)));
    default:
      return type satisfies never;
  }
}

/**
 * The numbers of a float tensor as float32.
 * @throws AppError `model_invalid` for integer tensors.
 */
export function floats(tensor: Tensor): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  if (tensor.data instanceof Uint16Array) return fromHalf(tensor.data);
  throw new AppError("model_invalid", `Cannot read numbers: the output's type is ${tensor.type}`);
}
