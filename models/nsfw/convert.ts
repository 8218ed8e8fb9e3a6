/**
 * Writes `mobilenet_v2_mid.onnx` from the npm package nsfwjs 4.4.0, which holds the weights:
 *
 * ```sh
 * npm pack nsfwjs@4.4.0 && tar xzf nsfwjs-4.4.0.tgz
 * deno run -A models/nsfw/convert.ts package
 * ```
 *
 * Weights of convolutions stay the bytes that they are there (a scale and a whole zero point a tensor);
 * biases, which are a hundredth of them, become float32.
 */
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { concatBytes } from "@noble/hashes/utils.js";
import { encodeOnnx, type Node, type Weight } from "../../core/onnx/mod.ts";

/** What is read of TensorFlow.js's `model.json`. */
interface GraphModel {
  readonly modelTopology: { readonly node: readonly TfNode[] };
  readonly weightsManifest: readonly { readonly weights: readonly StoredWeight[] }[];
}

interface StoredWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization: { readonly min: number; readonly scale: number };
}

interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, { s?: string; list?: { i?: string[]; s?: string[] } }>>;
}

interface TfTensor extends StoredWeight {
  readonly bytes: Uint8Array;
}

const SIDE = 224;
const CLASSES = 5;

/** One graph model of TensorFlow.js as ONNX, channels first inside. */
class Converter {
  readonly #nodes: Node[] = [];
  readonly #weights: Weight[] = [];
  readonly #names = new Map<string, string>([["input", "nchw"]]);

  constructor(readonly tensors: ReadonlyMap<string, TfTensor>) {}

  convert(nodes: readonly TfNode[]): Uint8Array {
    this.#add("Transpose", ["input"], { perm: [0, 3, 1, 2] }, "nchw");
    const computed = nodes.filter(({ op }) => op !== "Const" && op !== "Placeholder");
    for (const node of computed) this.#names.set(node.name, this.#convertNode(node));
    const last = this.#names.get(computed[computed.length - 1].name) ?? "";
    this.#add("Identity", [last], {}, "output");
    return encodeOnnx({
      inputs: [{ name: "input", type: "float32", dims: ["n", SIDE, SIDE, 3] }],
      outputs: [{ name: "output", type: "float32", dims: ["n", CLASSES] }],
      ...{ nodes: this.#nodes, weights: this.#weights },
    });
  }

  #convertNode({ op, input = [], attr }: TfNode): string {
    const [first, second, third] = input.map((name) => name.split(":")[0]);
    switch (op) {
      case "_FusedConv2D":
      case "FusedDepthwiseConv2dNative":
        return this.#convolution(op !== "_FusedConv2D", [first, second, third], attr);
      case "Mul":
      case "Sub":
        return this.#add(op, [this.#operand(first), this.#operand(second)]);
      case "AddV2":
        return this.#add("Add", [this.#operand(first), this.#operand(second)]);
      case "AvgPool":
        // Over all that is left: 7x7.
        return this.#add("GlobalAveragePool", [this.#operand(first)]);
      case "Squeeze":
        return this.#add("Flatten", [this.#operand(first)], { axis: 1 });
      case "_FusedMatMul": {
        const product = this.#add("MatMul", [this.#operand(first), this.#float(second)]);
        return this.#add("Add", [product, this.#float(third)]);
      }
      case "Softmax":
        return this.#add("Softmax", [this.#operand(first)], { axis: -1 });
      case "Identity":
        return this.#operand(first);
      default:
        throw new Error(`an operator that is not known here: ${op}`);
    }
  }

  #convolution(
    depthwise: boolean,
    [input, weight, bias]: readonly string[],
    attr: TfNode["attr"],
  ): string {
    const [height, width, from] = this.#tensor(weight).shape;
    const [, ...strides] = (attr.strides.list?.i ?? []).map(Number);
    const result = this.#add("Conv", [
      ...[this.#operand(input), this.#kernel(weight, depthwise), this.#float(bias)],
    ], {
      ...{ kernel_shape: [height, width], strides: strides.slice(0, 2) },
      group: depthwise ? from : 1,
      auto_pad: textOf(attr.padding.s) === "SAME" ? "SAME_UPPER" : "VALID",
    });
    const fused = (attr.fused_ops.list?.s ?? []).map(textOf);
    return fused.includes("Relu6") ? this.#clip(result) : result;
  }

  #clip(input: string): string {
    return this.#add("Clip", [input, this.#scalar(0), this.#scalar(6)]);
  }

  /** Rows, columns, inputs and outputs to outputs and inputs first; uint8 with scale and zero point. */
  #kernel(name: string, depthwise: boolean): string {
    const { shape, bytes, quantization: { min, scale } } = this.#tensor(name);
    const zero = Math.round(-min / scale);
    if (Math.abs(zero + min / scale) > 1e-3 || zero < 0 || zero > 255) {
      throw new Error(`${name} has no whole zero point`);
    }
    const [height, width, from, to] = shape;
    const [outer, inner] = depthwise ? [from, to] : [to, from];
    const values = new Uint8Array(bytes.length);
    for (let k = 0, o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        for (let at = 0; at < height * width; at++) {
          values[k++] = bytes[at * from * to + (depthwise ? o * to + i : i * to + o)];
        }
      }
    }
    const dims = depthwise ? [from * to, 1, height, width] : [to, from, height, width];
    return this.#add("DequantizeLinear", [
      this.#constant("uint8", dims, values),
      this.#scalar(scale),
      this.#constant("uint8", [], [zero]),
    ]);
  }

  #operand(name: string): string {
    return this.#names.get(name) ?? this.#float(name);
  }

  #float(name: string): string {
    const { shape, bytes, quantization: { min, scale } } = this.#tensor(name);
    const values = Float32Array.from(bytes, (byte) => byte * scale + min);
    return this.#constant("float32", shape, values);
  }

  #tensor(name: string): TfTensor {
    const found = this.tensors.get(name);
    if (!found) throw new Error(`there is no tensor ${name}`);
    return found;
  }

  #scalar(value: number): string {
    return this.#constant("float32", [], [value]);
  }

  #constant(type: Weight["type"], dims: readonly number[], values: Weight["values"]): string {
    const name = `weight.${this.#weights.length}`;
    this.#weights.push({ name, type, dims, values });
    return name;
  }

  #add(
    op: string,
    inputs: readonly string[],
    attributes: Node["attributes"] = {},
    output = `t.${this.#nodes.length}`,
  ): string {
    this.#nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }
}

/** Attributes are base64 of what they say. */
function textOf(base64 = ""): string {
  return atob(base64);
}

function tensorsOf(model: GraphModel, bytes: Uint8Array): Map<string, TfTensor> {
  let at = 0;
  return new Map(
    model.weightsManifest.flatMap(({ weights }) => weights).map((weight) => {
      const length = weight.shape.reduce((product, side) => product * side, 1);
      at += length;
      return [weight.name, { ...weight, bytes: bytes.subarray(at - length, at) }];
    }),
  );
}

const [source] = process.argv.slice(2);
const folder = resolve(source ?? "package", "dist/models/mobilenet_v2_mid");
const load = createRequire(join(folder, "model.min.js"));
const loaded = (name: string) => {
  const module = load(join(folder, `${name}.min.js`));
  return module.default ?? module;
};
const parts = ["group1-shard1of2", "group1-shard2of2"]
  .map((name) => Uint8Array.fromBase64(String(loaded(name))));
const model: GraphModel = loaded("model");
const file = new Converter(tensorsOf(model, concatBytes(...parts))).convert(
  model.modelTopology.node,
);
const target = join(import.meta.dirname ?? ".", "mobilenet_v2_mid.onnx");
writeFileSync(target, file);
console.log(`${readFileSync(target).length} bytes in ${target}`);
