import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { checkHeads, clipLayer } from "./clip_layer.ts";
import { count, decodeConfig, noEffect, only } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";

const schema = z.strictObject({
  eos_token_id: z.int().default(49_407),
  hidden_act: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
  hidden_size: count.default(512),
  intermediate_size: count.default(2048),
  layer_norm_eps: z.number().positive().default(1e-5),
  max_position_embeddings: count.default(77),
  model_type: only("clip_text_model"),
  num_attention_heads: count.default(8),
  num_hidden_layers: count.default(12),
  projection_dim: count.default(512),
  vocab_size: count.default(49_408),
  // Of training, of the tokenizer and of how the file was saved.
  architectures: noEffect.optional(),
  attention_dropout: noEffect.optional(),
  bos_token_id: noEffect.optional(),
  dropout: noEffect.optional(),
  dtype: noEffect.optional(),
  initializer_factor: noEffect.optional(),
  initializer_range: noEffect.optional(),
  pad_token_id: noEffect.optional(),
  real_eos: noEffect.optional(),
  torch_dtype: noEffect.optional(),
  transformers_version: noEffect.optional(),
});
type Config = z.infer<typeof schema>;

/** Scores of what comes later in the text; torch's lowest number of each type. */
const NOT_SEEN = { float32: -3.4028234663852886e38, float16: -65504 };
/** Configurations with this id are from before transformers 4.24: the end token has the highest. */
const LEGACY_EOS = 2;

/**
 * The graph of CLIP's text encoder: `input_ids` [batch, tokens], to `last_hidden_state` (normed),
 * `pooler_output` [batch, hidden_size], `hidden_states.i` (0 the embeddings, not normed) and
 * `clip_skip.k`, the hidden state k layers before the last, normed.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function clipTextModel(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig("CLIPTextModel", schema, json);
  const net = new Network("CLIPTextModel", tensors, options);
  const pooled = encode(net, config);
  output(net, "pooler_output", ["batch", config.hidden_size], pooled);
  return net.finish();
}

/**
 * As {@link clipTextModel}, with `text_embeds` [batch, projection_dim], the projection of what is
 * pooled, in its place.
 */
export function clipTextModelWithProjection(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig("CLIPTextModelWithProjection", schema, json);
  const net = new Network("CLIPTextModelWithProjection", tensors, options);
  const { hidden_size: from, projection_dim: to } = config;
  const embeds = net.linear(encode(net, config), "text_projection", from, to, false);
  output(net, "text_embeds", ["batch", to], embeds);
  return net.finish();
}

/** Gives out all hidden states. @returns the pooled one, [batch, hidden_size]. */
function encode(net: Network, config: Config): Variable {
  const { hidden_size: width, num_hidden_layers: layers } = config;
  checkHeads(net, config);
  const ids = net.g.input({ name: "input_ids", type: "int64", dims: ["batch", "tokens"] });
  const length = net.g.op("Shape", [ids], { attributes: { start: 1, end: 2 } });
  const seen = net.g.input({ name: "attention_mask", type: "float32", dims: ["batch", "tokens"] });
  const mask = net.add(causalMask(net, config, length), maskBias(net, seen));

  let x = embeddings(net, config, ids, length);
  const states = [x];
  for (let i = 0; i < layers; i++) {
    x = clipLayer(net, config, x, `${trunk(net)}encoder.layers.${i}`, mask);
    states.push(x);
  }
  const norm = (h: Variable) =>
    net.layerNorm(h, `${trunk(net)}final_layer_norm`, width, config.layer_norm_eps);
  const last = norm(x);

  const hidden = (name: string, h: Variable) => output(net, name, ["batch", "tokens", width], h);
  hidden("last_hidden_state", last);
  states.forEach((state, i) => hidden(`hidden_states.${i}`, state));
  states.slice(0, -1).forEach((state, i) => hidden(`clip_skip.${layers - i}`, norm(state)));
  return pool(net, config, ids, last);
}

/** What names begin with; transformers 5 leaves it out where nothing is projected. */
function trunk(net: Network): string {
  return net.has("embeddings.token_embedding.weight") ? "" : "text_model.";
}

function embeddings(net: Network, config: Config, ids: Variable, length: Variable): Variable {
  const { hidden_size: width, vocab_size: words, max_position_embeddings: positions } = config;
  const name = `${trunk(net)}embeddings`;
  const tokens = net.weight(`${name}.token_embedding.weight`, [words, width]);
  const places = net.weight(`${name}.position_embedding.weight`, [positions, width]);
  return net.add(net.g.op("Gather", [tokens, ids]), firstRows(net, places, length, [0]));
}

function firstRows(
  net: Network,
  x: Variable,
  length: Variable,
  axes: readonly number[],
): Variable {
  const starts = net.g.constant("int64", axes.map(() => 0));
  const ends = axes.length === 1 ? length : net.concat(axes.map(() => length), 0);
  return net.g.op("Slice", [x, starts, ends, net.g.constant("int64", axes)]);
}

/** [1, 1, tokens, tokens]: no token sees a later one. */
function causalMask(net: Network, config: Config, length: Variable): Variable {
  const side = config.max_position_embeddings;
  const scores = Array.from(
    { length: side * side },
    (_, i) => i % side > Math.floor(i / side) ? NOT_SEEN[net.type] : 0,
  );
  const mask = net.numbers(scores, [1, 1, side, side]);
  return firstRows(net, mask, length, [2, 3]);
}

/** [batch, 1, 1, tokens]: what is not seen. @param mask 1 seen, 0 not. */
function maskBias(net: Network, mask: Variable): Variable {
  const unseen = net.g.op("Sub", [net.g.constant("float32", [1], []), mask]);
  const bias = net.mul(unseen, net.g.constant("float32", [NOT_SEEN[net.type]], []));
  return net.g.cast(net.unsqueeze(bias, [1, 2]), net.type);
}

/** The state at the first end token. @returns [batch, hidden_size] */
function pool(net: Network, config: Config, ids: Variable, states: Variable): Variable {
  const end = config.eos_token_id;
  const marks = end === LEGACY_EOS
    ? ids
    : net.g.op("Equal", [ids, net.g.constant("int64", [end], [])]);
  // As floats: ids are small, and not every host compares integers of 64 bits.
  const place = net.g.op("ArgMax", [net.g.cast(marks, "float32")], {
    attributes: { axis: 1, keepdims: 1 },
  });
  return net.g.op("GatherND", [states, place], { attributes: { batch_dims: 1 } });
}

function output(net: Network, name: string, dims: readonly (number | string)[], x: Variable) {
  net.output(name, dims, x);
}
