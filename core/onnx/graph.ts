/** Element types of inputs, outputs and what is inside a graph. */
export type OnnxType = "float32" | "float16" | "int32" | "int64";

/** Element types of weights by reference. */
export type StoredType = OnnxType | "bfloat16";

/** An input or output; a dimension without a fixed size has a name. */
export interface Value {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly (number | string)[];
}

/** A constant whose values are inside the graph. */
export interface Weight {
  readonly name: string;
  /** `uint8` is for what DequantizeLinear reads. */
  readonly type: OnnxType | "uint8";
  readonly dims: readonly number[];
  readonly values: readonly number[] | Float32Array | Uint8Array;
}

/** A constant that lies in a file beside the graph: little-endian, rows last. */
export interface WeightReference {
  readonly name: string;
  readonly type: StoredType;
  readonly dims: readonly number[];
  /** The file's path, relative to the graph's folder. */
  readonly location: string;
  /** Bytes from the start of the file; any, aligned or not. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** Whole numbers, lists of them, text, or `float` for an attribute that is a float in the schema. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface Node {
  readonly op: string;
  /** Of operators that are not ONNX's own: `com.microsoft`. */
  readonly domain?: "com.microsoft";
  /** An empty name leaves out an optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** A graph as data. Nodes are in an order in which they can be computed. */
export interface OnnxGraph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly weights: readonly Weight[];
  readonly references?: readonly WeightReference[];
  readonly nodes: readonly Node[];
  /** Version of ONNX's own operators; 17 if left out. */
  readonly opset?: number;
}
