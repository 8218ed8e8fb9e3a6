import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { activation } from "./activation.ts";
import { count, decodeConfig, noEffect, only } from "./config.ts";
import { Network } from "./network.ts";

const NAME = "T5EncoderModel";

const schema = z.strictObject({
  d_ff: count,
  d_kv: count,
  d_model: count,
  dense_act_fn: only("gelu_new"),
  feed_forward_proj: z.literal("gated-gelu"),
  is_gated_act: only(true),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  model_type: only("t5"),
  num_heads: count,
  num_layers: count,
  relative_attention_max_distance: z.int().min(2).default(128),
  relative_attention_num_buckets: z.int().min(4).multipleOf(4).default(32),
  vocab_size: count,
  // Of the decoder, of training, of the tokenizer and of how the file was saved.
  architectures: noEffect.optional(),
  classifier_dropout: noEffect.optional(),
  decoder_start_token_id: noEffect.optional(),
  dropout_rate: noEffect.optional(),
  dtype: noEffect.optional(),
  eos_token_id: noEffect.optional(),
  initializer_factor: noEffect.optional(),
  is_decoder: only(false),
  is_encoder_decoder: noEffect.optional(),
  num_decoder_layers: noEffect.optional(),
  output_past: noEffect.optional(),
  pad_token_id: noEffect.optional(),
  scale_decoder_outputs: noEffect.optional(),
  tie_word_embeddings: noEffect.optional(),
  torch_dtype: noEffect.optional(),
  transformers_version: noEffect.optional(),
  use_cache: noEffect.optional(),
});
type Config = z.infer<typeof schema>;

/** Of scores of tokens that are masked; torch's lowest float32. */
const NOT_SEEN = -3.4028234663852886e38;

/**
 * The graph of T5's encoder (v1.1): `input_ids` and `attention_mask` [batch, tokens] (1 seen, 0 not),
 * to `last_hidden_state` (normed) and `hidden_states.i` (0 the embeddings; the last one is normed).
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function t5EncoderModel(json: unknown, tensors: TensorIndex): OnnxGraph {
  const config = decodeConfig(NAME, schema, json);
  const net = new Network(NAME, tensors);
  const { d_model: width, layer_norm_epsilon: eps } = config;
  const ids = net.g.input({ name: "input_ids", type: "int64", dims: ["batch", "tokens"] });
  const mask = net.g.input({ name: "attention_mask", type: "float32", dims: ["batch", "tokens"] });
  const bias = net.add(positionBias(net, config, ids), maskBias(net, mask));

  let x = net.g.op("Gather", [net.weight("shared.weight", [config.vocab_size, width]), ids]);
  const states = [x];
  for (let i = 0; i < config.num_layers; i++) {
    const name = `encoder.block.${i}.layer`;
    x = net.add(x, attention(net, config, x, `${name}.0`, bias));
    x = net.add(x, feedForward(net, config, x, `${name}.1`));
    states.push(x);
  }
  const last = net.rmsNorm(x, "encoder.final_layer_norm", width, eps);

  const output = (name: string, state: Variable) =>
    net.g.output({ name, type: "float32", dims: ["batch", "tokens", width] }, state);
  output("last_hidden_state", last);
  [...states.slice(0, -1), last].forEach((state, i) => output(`hidden_states.${i}`, state));
  // Some files have the embeddings a second time: transformers ties them to the first.
  return net.finish((name) => name !== "encoder.embed_tokens.weight");
}

/** Scores of distances, the first block's for all: [1, heads, tokens, tokens]. */
function positionBias(net: Network, config: Config, ids: Variable): Variable {
  const { relative_attention_num_buckets: buckets, num_heads: heads } = config;
  const furthest = config.relative_attention_max_distance;
  const whole = (value: number) => net.g.constant("int64", [value], []);
  const shape = net.g.op("Shape", [ids], { attributes: { start: 1, end: 2 } });
  const length = net.g.op("Squeeze", [shape]);
  const places = net.g.op("Range", [whole(0), length, whole(1)]);
  const distances = net.g.op("Sub", [net.unsqueeze(places, [0]), net.unsqueeze(places, [1])]);
  const near = net.g.op("Clip", [distances, whole(-furthest), whole(furthest)]);
  const table = net.g.constant("int64", bucketTable(buckets, furthest));
  const bucket = net.g.op("Gather", [table, net.add(near, whole(furthest))]);
  const name = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
  const scores = net.g.op("Gather", [net.weight(name, [buckets, heads]), bucket]);
  return net.unsqueeze(net.transpose(scores, [2, 0, 1]), [0]);
}

/** The bucket of each distance from the furthest before to the furthest after. */
function bucketTable(buckets: number, furthest: number): number[] {
  const half = buckets / 2;
  const exact = half / 2;
  // In float32 at each place where torch rounds: the result is cut to a whole number.
  const far = (distance: number) => {
    const share = Math.fround(Math.log(distance / exact)) / Math.fround(Math.log(furthest / exact));
    return Math.min(half - 1, exact + Math.trunc(Math.fround(Math.fround(share) * (half - exact))));
  };
  return Array.from({ length: 2 * furthest + 1 }, (_, i) => {
    const distance = Math.abs(i - furthest);
    return (i > furthest ? half : 0) + (distance < exact ? distance : far(distance));
  });
}

/** [batch, 1, 1, tokens] */
function maskBias(net: Network, mask: Variable): Variable {
  const hidden = net.g.op("Sub", [net.g.constant("float32", [1], []), mask]);
  return net.unsqueeze(net.scale(hidden, NOT_SEEN), [1, 2]);
}

/** Scores are not scaled. */
function attention(
  net: Network,
  config: Config,
  x: Variable,
  name: string,
  bias: Variable,
): Variable {
  const { d_model: width, num_heads: heads } = config;
  const inner = heads * config.d_kv;
  const normed = net.rmsNorm(x, `${name}.layer_norm`, width, config.layer_norm_epsilon);
  const parts = ["q", "k", "v"].map((part) =>
    net.linear(normed, `${name}.SelfAttention.${part}`, width, inner, false)
  );
  const attended = net.attention(parts, heads, bias, 1);
  return net.linear(attended, `${name}.SelfAttention.o`, inner, width, false);
}

function feedForward(net: Network, config: Config, x: Variable, name: string): Variable {
  const { d_model: width, d_ff: wide } = config;
  const layers = `${name}.DenseReluDense`;
  const normed = net.rmsNorm(x, `${name}.layer_norm`, width, config.layer_norm_epsilon);
  const gate = activation(
    net,
    "gelu_new",
    net.linear(normed, `${layers}.wi_0`, width, wide, false),
  );
  const h = net.mul(gate, net.linear(normed, `${layers}.wi_1`, width, wide, false));
  return net.linear(h, `${layers}.wo`, wide, width, false);
}
