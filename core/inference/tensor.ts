import { AppError } from "../error.ts";
import { fromHalf, toHalf } from "../half.ts";

export type ElementType = "float32" | "float16" | "int32" | "int64";

/** A tensor in memory, rows last. `float16` is kept as the bits of each number. */
export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array;
}

/** A tensor in a buffer on the runtime's device. The buffer's creator owns it. */
export interface GpuTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly buffer: GPUBuffer;
}

const ELEMENT_BYTES = { float32: 4, float16: 2, int32: 4, int64: 8 } as const;

/** Bytes of a tensor, without padding. */
export function tensorBytes({ type, dims }: Pick<GpuTensor, "type" | "dims">): number {
  return dims.reduce((product, dim) => product * dim, ELEMENT_BYTES[type]);
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

/** Rows one after the other. A single row is given back as it is. */
export function joinRows(rows: readonly Float32Array[]): Float32Array {
  if (rows.length === 1) return rows[0];
  const values = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let offset = 0;
  for (const row of rows) {
    values.set(row, offset);
    offset += row.length;
  }
  return values;
}

/** Views of the rows of a tensor. @param length elements of a row. */
export function splitRows(values: Float32Array, length: number): Float32Array[] {
  return Array.from(
    { length: values.length / length },
    (_, row) => values.subarray(row * length, (row + 1) * length),
  );
}
