import { AppError } from "../error.ts";
import { named } from "../named.ts";
import {
  GraphBuilder,
  type OnnxGraph,
  type StoredType,
  type Value,
  type Variable,
} from "../onnx/mod.ts";
import type { IndexedTensor, TensorIndex, WeightDelta } from "../safetensors/mod.ts";
import { ExpectedTensors } from "./expected_tensors.ts";

/** float16 where the weights have 16 bits and the device computes with such. */
export type ComputeType = "float32" | "float16";

/** By the weight's name; several add up in their order. */
export type WeightDeltas = ReadonlyMap<string, readonly AdapterDelta[]>;

/** A change that takes part as far as its adapter's scale says, which the graph reads at each run. */
export interface AdapterDelta extends WeightDelta {
  /** Its adapter's place among {@link ADAPTER_SCALES}. */
  readonly adapter: number;
}

/** The input of graphs that adapters change: f32[adapters]. */
export const ADAPTER_SCALES = "adapter_scales";

export interface NetworkOptions {
  /** float32 if left out. */
  readonly type?: ComputeType;
  readonly deltas?: WeightDeltas;
  /** Of a UNet: it takes what ControlNets add to its skips and its middle. */
  readonly residuals?: boolean;
  /** Of a UNet: what it reads beside the latent is an input of its own. */
  readonly splits?: boolean;
  /**
   * Of a transformer: it takes what a UNet takes, by the same names: `sample`, a latent whatever tokens
   * are made of it, `timestep` in 0..1000, and as `text_embeds` the pooled text.
   */
  readonly asUnet?: boolean;
}

export interface ConvOptions {
  /** Of the square kernel; 3 if left out. */
  readonly kernel?: number;
  readonly stride?: number;
  /** On every side, or top, left, bottom, right; half the kernel if left out. */
  readonly padding?: number | readonly [number, number, number, number];
}

const WEIGHT_TYPES: Readonly<Record<string, StoredType>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** Tensors of old files that no network reads. */
const NOT_WEIGHTS = /(^|\.)embeddings\.position_ids$/;

/**
 * A graph in the making whose weights are a checkpoint's: torch's layers by the names that their
 * weights have. Each shape is checked, and what was used is counted.
 */
export class Network {
  readonly g = new GraphBuilder();
  /** What it computes in. */
  readonly type: ComputeType;
  readonly #className: string;
  readonly #tensors: TensorIndex;
  readonly #deltas: WeightDeltas;
  readonly #weights = new Map<string, Variable>();
  #adapterScales: Variable | undefined;

  /** @param className for errors, as in diffusers or transformers. */
  constructor(
    className: string,
    tensors: TensorIndex,
    { type = "float32", deltas = new Map() }: NetworkOptions = {},
  ) {
    this.#className = className;
    this.#tensors = tensors;
    this.#deltas = deltas;
    this.type = type;
  }

  /** An input of the type that is computed in. */
  input(name: string, dims: Value["dims"]): Variable {
    return this.g.input({ name, type: this.type, dims });
  }

  /** An output of the type that is computed in. */
  output(name: string, dims: Value["dims"], x: Variable): void {
    this.g.output({ name, type: this.type, dims }, x);
  }

  /** Numbers of the type that is computed in. */
  numbers(values: readonly number[], dims?: readonly number[]): Variable {
    return this.g.constant(this.type, values, dims);
  }

  /** What was computed in float32, for its range or its digits, as the rest is computed. */
  fromFloat32(x: Variable): Variable {
    return this.type === "float32" ? x : this.g.cast(x, this.type);
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /**
   * A weight as it is computed with; another type is converted when the session is made.
   * @throws AppError `model_invalid` when it is missing, or of another shape or type.
   */
  weight(name: string, shape: readonly number[]): Variable {
    const known = this.#weights.get(name);
    if (known) return known;
    const tensor = this.#tensors instanceof ExpectedTensors
      ? this.#tensors.expect(name, shape)
      : this.#tensors.get(name);
    if (!tensor) return this.refuse(`${name} is not among the checkpoint's tensors`);
    if (String(tensor.shape) !== String(shape)) {
      this.refuse(`${name} is [${tensor.shape}], not [${shape}]`);
    }
    const deltas = this.#deltas.get(name);
    const weight = deltas ? this.#changed(tensor, deltas) : this.#converted(tensor, this.type);
    this.#weights.set(name, weight);
    return weight;
  }

  /**
   * W + sum of scale * up @ down, in float32 and rounded once: computed at each run, which costs a
   * rank's share of what the layer itself does, so that another scale needs no other session.
   */
  #changed(tensor: IndexedTensor, deltas: readonly AdapterDelta[]): Variable {
    const stored = this.#converted(tensor, "float32", flatShape(tensor.shape));
    const ups = deltas.map((delta) => this.#scaledUp(delta));
    const downs = deltas.map((delta) => this.#flatDown(delta));
    const flat = this.g.op("Gemm", [this.concat(ups, 1), this.concat(downs, 0), stored]);
    return this.fromFloat32(tensor.shape.length > 2 ? this.reshape(flat, tensor.shape) : flat);
  }

  /** [to, rank] */
  #scaledUp({ up, scale, adapter }: AdapterDelta): Variable {
    const own = this.mul(this.#adapterScale(adapter), this.g.constant("float32", [scale], []));
    return this.mul(this.#converted(up, "float32", flatShape(up.shape)), own);
  }

  #adapterScale(adapter: number): Variable {
    this.#adapterScales ??= this.g.input({
      ...{ name: ADAPTER_SCALES, type: "float32", dims: ["adapters"] },
    });
    return this.g.op("Gather", [this.#adapterScales, this.g.constant("int64", [adapter], [])]);
  }

  /** [rank, from * k * k] */
  #flatDown({ down, mid }: WeightDelta): Variable {
    const flat = this.#converted(down, "float32", flatShape(down.shape));
    return mid ? this.#withKernel(flat, mid, down.shape[1]) : flat;
  }

  /** The kernel goes over what `down` gives: [rank, from * k * k]. */
  #withKernel(down: Variable, mid: IndexedTensor, from: number): Variable {
    const [rank, inner, ...kernel] = mid.shape;
    const last = this.transpose(this.#converted(mid, "float32"), [0, 2, 3, 1]);
    const product = this.g.op("MatMul", [this.reshape(last, [-1, inner]), down]);
    const split = this.reshape(product, [rank, ...kernel, from]);
    return this.reshape(this.transpose(split, [0, 3, 1, 2]), [rank, -1]);
  }

  /** @param dims other ones of as many numbers, of a weight that is not transposed. */
  #converted(
    { name, dtype, shape, path, start, end, transposed }: IndexedTensor,
    to: ComputeType,
    dims: readonly number[] = shape,
  ): Variable {
    const type = WEIGHT_TYPES[dtype] ??
      this.refuse(`${name} is ${dtype}, not ${Object.keys(WEIGHT_TYPES).join(", ")}`);
    const place = { location: path, offset: start, length: end - start };
    const stored = this.g.reference({
      ...{ name, type, ...place },
      dims: transposed ? shape.toReversed() : dims,
    });
    const converted = type === to ? stored : this.g.cast(stored, to);
    return transposed ? this.transpose(converted, [1, 0]) : converted;
  }

  /** torch's Linear, whose weight is [to, from]. @param x [..., from] */
  linear(x: Variable, name: string, from: number, to: number, bias = true): Variable {
    const product = this.g.op("FusedMatMul", [x, this.weight(`${name}.weight`, [to, from])], {
      attributes: { transB: 1 },
      domain: "com.microsoft",
    });
    return bias ? this.add(product, this.weight(`${name}.bias`, [to])) : product;
  }

  /** torch's Conv2d. @param x [batch, from, height, width] */
  conv(x: Variable, name: string, from: number, to: number, options: ConvOptions = {}): Variable {
    const { kernel = 3, stride = 1, padding = (kernel - 1) / 2 } = options;
    const stored = this.weight(`${name}.weight`, [to, from, kernel, kernel]);
    // onnxruntime-web 1.30 computes nonsense on WebGPU where there are as many channels as the
    // kernel has elements, as in inpainting networks. One more, of zeros, is computed right.
    const [input, weight] = kernel > 1 && from === kernel ** 2
      ? [this.#zeroChannel(x), this.#zeroChannel(stored)]
      : [x, stored];
    return this.g.op("Conv", [input, weight, this.weight(`${name}.bias`, [to])], {
      attributes: {
        kernel_shape: [kernel, kernel],
        pads: typeof padding === "number" ? [padding, padding, padding, padding] : padding,
        strides: [stride, stride],
      },
    });
  }

  #zeroChannel(x: Variable): Variable {
    return this.g.op("Pad", [x, this.g.constant("int64", [0, 0, 0, 0, 0, 1, 0, 0])]);
  }

  groupNorm(x: Variable, name: string, channels: number, groups: number, eps: number): Variable {
    if (channels % groups !== 0) {
      this.refuse(`${name} has ${channels} channels, which ${groups} groups do not divide`);
    }
    return this.g.op("GroupNormalization", [x, ...this.#scaleAndBias(name, channels)], {
      attributes: { num_groups: groups, epsilon: { float: eps } },
    });
  }

  layerNorm(x: Variable, name: string, width: number, eps: number): Variable {
    return this.g.op("LayerNormalization", [x, ...this.#scaleAndBias(name, width)], {
      attributes: { epsilon: { float: eps } },
    });
  }

  /** LayerNorm without weights of its own. */
  plainLayerNorm(x: Variable, width: number, eps: number): Variable {
    const ones = this.numbers(Array(width).fill(1));
    return this.g.op("LayerNormalization", [x, ones], { attributes: { epsilon: { float: eps } } });
  }

  /** RMSNorm over the last dimension: no mean is taken off. */
  rmsNorm(x: Variable, name: string, width: number, eps: number): Variable {
    return this.g.op("SimplifiedLayerNormalization", [x, this.weight(`${name}.weight`, [width])], {
      attributes: { axis: -1, epsilon: { float: eps }, stash_type: 1 },
    });
  }

  #scaleAndBias(name: string, width: number): readonly Variable[] {
    return [this.weight(`${name}.weight`, [width]), this.weight(`${name}.bias`, [width])];
  }

  /**
   * Scaled dot products. @param bias added to the scores, broadcast to [batch, heads, queries, keys].
   * @param scale of the scores; one over the root of a head's width if left out.
   */
  attention(
    [query, key, value]: readonly Variable[],
    heads: number,
    bias?: Variable,
    scale?: number,
  ): Variable {
    const inputs = bias ? [query, key, value, undefined, undefined, bias] : [query, key, value];
    return this.g.op("MultiHeadAttention", inputs, {
      attributes: { num_heads: heads, ...scale === undefined ? {} : { scale: { float: scale } } },
      domain: "com.microsoft",
    });
  }

  add(a: Variable, b: Variable): Variable {
    return this.g.op("Add", [a, b]);
  }

  mul(a: Variable, b: Variable): Variable {
    return this.g.op("Mul", [a, b]);
  }

  /** The same tensor where the factor is 1. */
  scale(x: Variable, factor: number): Variable {
    return factor === 1 ? x : this.mul(x, this.numbers([factor], []));
  }

  unsqueeze(x: Variable, axes: readonly number[]): Variable {
    return this.g.op("Unsqueeze", [x, this.g.constant("int64", axes)]);
  }

  concat(parts: readonly Variable[], axis: number): Variable {
    return this.g.op("Concat", parts, { attributes: { axis } });
  }

  /** @param shape 0 keeps a dimension, -1 is what is left. */
  reshape(x: Variable, shape: readonly number[]): Variable {
    return this.g.op("Reshape", [x, this.g.constant("int64", shape)]);
  }

  transpose(x: Variable, perm: readonly number[]): Variable {
    return this.g.op("Transpose", [x], { attributes: { perm } });
  }

  /** Equal parts along an axis. */
  chunk(x: Variable, parts: number, axis: number): readonly Variable[] {
    return this.g.ops("Split", [x], parts, { attributes: { axis, num_outputs: parts } });
  }

  /**
   * The graph, when every tensor of the checkpoint was used.
   * @param ours whether a tensor is this graph's to use; all are if left out.
   * @throws AppError `model_invalid` naming tensors that were not used.
   */
  finish(ours: (name: string) => boolean = () => true): OnnxGraph {
    const unused = [...this.#tensors.keys()].filter((name) =>
      !this.#weights.has(name) && !NOT_WEIGHTS.test(name) && ours(name)
    );
    if (unused.length > 0) {
      this.refuse(`its configuration has no place for ${named(unused)}`);
    }
    return this.g.finish();
  }

  refuse(why: string): never {
    throw new AppError("model_invalid", `Cannot build ${this.#className}: ${why}`);
  }
}

/** Of a matrix that is laid out the same: all but the first side become one. */
function flatShape([first, ...rest]: readonly number[]): readonly number[] {
  return [first, rest.reduce((product, side) => product * side, 1)];
}
