import type { Variable } from "../onnx/mod.ts";
import { activation } from "./activation.ts";
import { sinusoid, timestepEmbedding } from "./embeddings.ts";
import type { Network } from "./network.ts";
import type { TimeEmbedding } from "./resnet.ts";
import type { DownPathConfig, UNetConfig } from "./unet_config.ts";

type EmbeddingConfig =
  & DownPathConfig
  & Partial<
    Pick<
      UNetConfig,
      "time_cond_proj_dim" | "time_embedding_act_fn" | "time_embedding_dim" | "timestep_post_act"
    >
  >;

/** The timestep and what else conditions every ResNet: its activation is taken already. */
export function timeEmbedding(net: Network, config: EmbeddingConfig): TimeEmbedding {
  const first = config.block_out_channels[0];
  const width = config.time_embedding_dim ?? 4 * first;
  const timestep = net.g.input({ name: "timestep", type: "float32", dims: ["timesteps"] });
  let x = withGuidance(net, config, sinusoid(net, net.unsqueeze(timestep, [1]), first, config));
  x = timestepEmbedding(net, x, "time_embedding", { from: first, to: width }, config.act_fn);
  if (config.timestep_post_act) x = activation(net, config.timestep_post_act, x);
  for (const other of [classEmbedding(net, config, width), addedEmbedding(net, config, width)]) {
    if (other) x = net.add(x, other);
  }
  if (config.time_embedding_act_fn) x = activation(net, config.time_embedding_act_fn, x);
  return { x: activation(net, config.act_fn, x), width };
}

/** LCM: an embedding of the guidance scale is added to the timestep's. */
function withGuidance(net: Network, config: EmbeddingConfig, x: Variable): Variable {
  const from = config.time_cond_proj_dim;
  if (!from) return x;
  const input = net.input("timestep_cond", ["batch", from]);
  const to = config.block_out_channels[0];
  return net.add(x, net.linear(input, "time_embedding.cond_proj", from, to, false));
}

function classEmbedding(
  net: Network,
  config: EmbeddingConfig,
  width: number,
): Variable | undefined {
  const kind = config.class_embed_type;
  if (kind === null) return labelEmbedding(net, config, width);
  if (kind === "timestep") {
    const from = config.block_out_channels[0];
    const labels = net.g.input({ name: "class_labels", type: "float32", dims: ["batch"] });
    const x = sinusoid(net, net.unsqueeze(labels, [1]), from, config);
    return timestepEmbedding(net, x, "class_embedding", { from, to: width }, config.act_fn);
  }
  const from = config.projection_class_embeddings_input_dim ??
    net.refuse(`projection_class_embeddings_input_dim is null, with class_embed_type ${kind}`);
  const x = net.input("class_labels", ["batch", from]);
  return kind === "projection"
    ? timestepEmbedding(net, x, "class_embedding", { from, to: width }, config.act_fn)
    : net.linear(x, "class_embedding", from, width);
}

function labelEmbedding(
  net: Network,
  { num_class_embeds: classes }: EmbeddingConfig,
  width: number,
): Variable | undefined {
  if (!classes) return undefined;
  const labels = net.g.input({ name: "class_labels", type: "int64", dims: ["batch"] });
  return net.g.op("Gather", [net.weight("class_embedding.weight", [classes, width]), labels]);
}

/** SDXL: the pooled text and the sizes, each size embedded as the timestep is. */
function addedEmbedding(
  net: Network,
  config: EmbeddingConfig,
  width: number,
): Variable | undefined {
  if (config.addition_embed_type === null) return undefined;
  const { addition_time_embed_dim: side, projection_class_embeddings_input_dim: from } = config;
  if (!side) return net.refuse("addition_time_embed_dim is null, with text_time");
  if (!from) return net.refuse("projection_class_embeddings_input_dim is null, with text_time");
  const text = net.input("text_embeds", ["batch", "pooled"]);
  const ids = net.g.input({ name: "time_ids", type: "float32", dims: ["batch", "sizes"] });
  const sizes = sinusoid(net, net.unsqueeze(ids, [2]), side, config);
  const flat = net.g.op("Reshape", [sizes, net.g.constant("int64", [0, -1])]);
  const x = net.concat([text, flat], 1);
  return timestepEmbedding(net, x, "add_embedding", { from, to: width }, config.act_fn);
}

/** The text that the network attends to: [batch, tokens, width]. */
export function encoderHiddenStates(net: Network, config: DownPathConfig): Variable {
  const { cross_attention_dim: cross, encoder_hid_dim: hidden } = config;
  const width = Array.isArray(cross) ? cross[0] : cross;
  const input = net.input("encoder_hidden_states", ["batch", "tokens", hidden ?? width]);
  return hidden ? net.linear(input, "encoder_hid_proj", hidden, width) : input;
}
