import { AppError } from "../error.ts";
import { fromBfloat16, fromHalf, roundHalf, toBfloat16, toHalf } from "../half.ts";
import {
  type ByteRange,
  type ModelFiles,
  type NetworkFiles,
  viewOf,
  type WeightFiles,
} from "../model/mod.ts";
import { type Field, onnxNodes, onnxWeights, ProtobufReader } from "../onnx/mod.ts";
import { gaussianNoise } from "../noise/mod.ts";
import type { Alteration } from "./lab.ts";

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
const RAW_DATA_OF_TENSOR = 9;
const NAME_OF_TENSOR = 8;
const INPUT_OF_NODE = 1;
const NAME_OF_NODE = 3;
/** Tensors of fewer numbers are biases, norms and shapes, which no quantisation touches. */
const MIN_WEIGHTS = 1024;
/** Weights that share a scale, as in GGUF's Q8_0 and Q4_0. */
const BLOCK = 32;
/** Of nodes and tensors in the middle block, as diffusers and the embedded model name them. */
const MIDDLE = /\b(mid_block|middle)\b/;
/** Bits of a float32's fraction that TF32 has not. */
const TF32_DROPPED = 13;

/** Numbers of a type that weights are stored in, and back. */
interface Coding {
  /** Bytes of each. */
  readonly bytes: number;
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
  readonly encode: (weights: Float32Array<ArrayBuffer>) => ArrayBuffer;
}

const FLOAT32: Coding = {
  bytes: 4,
  decode: ({ buffer }) => new Float32Array(buffer),
  encode: ({ buffer }) => buffer,
};
const CODINGS: Readonly<Record<string, Coding>> = {
  F32: FLOAT32,
  F16: {
    bytes: 2,
    decode: ({ buffer }) => fromHalf(new Uint16Array(buffer)),
    encode: (weights) => toHalf(weights).buffer,
  },
  BF16: {
    bytes: 2,
    decode: ({ buffer }) => fromBfloat16(new Uint16Array(buffer)),
    encode: (weights) => toBfloat16(weights).buffer,
  },
};

/**
 * A model's files with other weights in one network: those of an ONNX file, which are taken for
 * float32, or floats of any width in safetensors. They stay in their type, in which nothing is left of
 * what is finer: weights in float16 are their own float16.
 */
export async function alterWeights(
  files: ModelFiles,
  network: NetworkFiles,
  alteration: Alteration,
): Promise<ModelFiles> {
  return "graph" in network
    ? await alterGraph(files, network.graph, alteration)
    : await alterTensors(files, network, alteration);
}

async function alterTensors(
  files: ModelFiles,
  { tensors }: WeightFiles,
  alteration: Alteration,
): Promise<ModelFiles> {
  let altered = files;
  for (const path of new Set([...tensors.values()].map((tensor) => tensor.path))) {
    const bytes = await files.bytes(path);
    for (const [name, tensor] of tensors) {
      if (alteration === "int8 middle" && !MIDDLE.test(name)) continue;
      const coding = CODINGS[tensor.dtype];
      if (tensor.path === path && coding) alterAt(bytes, tensor, coding, alteration);
    }
    altered = withFile(altered, path, bytes);
  }
  return altered;
}

async function alterGraph(
  files: ModelFiles,
  graph: string,
  alteration: Alteration,
): Promise<ModelFiles> {
  const bytes = await files.bytes(graph);
  const reader = new ProtobufReader(
    (start, end) => Promise.resolve(bytes.subarray(start, end)),
    bytes.length,
    (why) => new AppError("model_invalid", `Cannot alter the weights of ${graph}: ${why}`),
  );
  const middle = alteration === "int8 middle"
    ? await middleInputs(reader, bytes.length)
    : undefined;
  for await (const tensor of onnxWeights(reader, bytes.length)) {
    const fields = await fieldsOf(reader, tensor);
    const data = fields.find(({ number }) => number === RAW_DATA_OF_TENSOR);
    const name = fields.find(({ number }) => number === NAME_OF_TENSOR);
    const left = middle && !(name && middle.has(await reader.text(name)));
    if (data && !left) alterAt(bytes, data, FLOAT32, alteration);
  }
  return withFile(files, graph, bytes);
}

/** What the middle block's nodes read: exporters rename the weights of some, but not the nodes. */
async function middleInputs(reader: ProtobufReader, size: number): Promise<Set<string>> {
  const inputs = new Set<string>();
  for await (const node of onnxNodes(reader, size)) {
    const fields = await fieldsOf(reader, node);
    const name = fields.find(({ number }) => number === NAME_OF_NODE);
    if (!name || !MIDDLE.test(await reader.text(name))) continue;
    for (const field of fields) {
      if (field.number === INPUT_OF_NODE) inputs.add(await reader.text(field));
    }
  }
  return inputs;
}

async function fieldsOf(reader: ProtobufReader, { start, end }: ByteRange): Promise<Field[]> {
  const fields: Field[] = [];
  for await (const field of reader.fields(start, end)) fields.push(field);
  return fields;
}

function alterAt(
  bytes: Uint8Array<ArrayBuffer>,
  { start, end }: ByteRange,
  { bytes: width, decode, encode }: Coding,
  alteration: Alteration,
): void {
  if (end - start < MIN_WEIGHTS * width) return;
  const weights = decode(bytes.slice(start, end));
  bytes.set(new Uint8Array(encode(altered(weights, alteration))), start);
}

function altered(
  weights: Float32Array<ArrayBuffer>,
  alteration: Alteration,
): Float32Array<ArrayBuffer> {
  switch (alteration) {
    case "int8":
    case "int8 middle":
      return quantised(weights, 127);
    case "int4":
      return quantised(weights, 7);
    case "float16":
      return roundHalf(weights);
    case "tf32":
      return roundedToTf32(weights);
    case "other": {
      const noise = gaussianNoise(BigInt(weights.length), 0, weights.length);
      return weights.map((weight, j) => weight * (1 + 0.05 * noise[j]));
    }
    default:
      return alteration satisfies never;
  }
}

/** To the 10 bits of fraction that tensor cores read of a float32; halves away from zero. */
function roundedToTf32(weights: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(weights.slice().buffer);
  const half = 1 << (TF32_DROPPED - 1);
  return new Float32Array(
    bits.map((word) => ((word + half) >>> TF32_DROPPED) << TF32_DROPPED).buffer,
  );
}

/** Each block to whole multiples of its largest weight over `max`. */
function quantised(weights: Float32Array<ArrayBuffer>, max: number): Float32Array<ArrayBuffer> {
  const result = weights.slice();
  for (let first = 0; first < weights.length; first += BLOCK) {
    const block = result.subarray(first, first + BLOCK);
    const scale = block.reduce((largest, weight) => Math.max(largest, Math.abs(weight)), 0) / max;
    if (scale > 0) block.forEach((weight, j) => block[j] = Math.round(weight / scale) * scale);
  }
  return result;
}

/** Without a path on disk, so that the old file is not read by it. */
function withFile(files: ModelFiles, path: string, bytes: Uint8Array<ArrayBuffer>): ModelFiles {
  return { ...viewOf(files, { written: new Map([[path, bytes]]) }), localPath: undefined };
}
