import type { IndexedTensor, TensorIndex } from "../safetensors/mod.ts";
import { countBelow, type Refuse, renamedTensors, shapeOf } from "./part.ts";

/** What names and shapes say of a text encoder, in the fields of transformers' CLIPTextConfig. */
export interface ClipText {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly max_position_embeddings: number;
  readonly num_hidden_layers: number;
  readonly projection_dim: number;
  readonly vocab_size: number;
}

/** @param text its tensors, by their names in transformers. */
export function readClipText(text: TensorIndex, refuse: Refuse): ClipText {
  const shape = (name: string) => shapeOf(text, `text_model.${name}.weight`, refuse);
  const [vocab_size, hidden_size] = shape("embeddings.token_embedding");
  return {
    hidden_size,
    intermediate_size: shape("encoder.layers.0.mlp.fc1")[0],
    max_position_embeddings: shape("embeddings.position_embedding")[0],
    num_hidden_layers: countBelow(text, "text_model.encoder.layers."),
    projection_dim: text.get("text_projection.weight")?.shape[0] ?? hidden_size,
    vocab_size,
  };
}

/** The first files leave out `text_model.`, as transformers did then. */
export function transformersTensors(text: TensorIndex, refuse: Refuse): TensorIndex {
  return renamedTensors(text, (name, tensor) => {
    if (!/^(text_model\.)?(embeddings|encoder|final_layer_norm)\./.test(name)) return undefined;
    return [{ ...tensor, name: name.replace(/^(text_model\.)?/, "text_model.") }];
  }, refuse);
}

const OUTSIDE_LAYERS: ReadonlyMap<string, string> = new Map([
  ["positional_embedding", "text_model.embeddings.position_embedding.weight"],
  ["token_embedding.weight", "text_model.embeddings.token_embedding.weight"],
  ["ln_final.weight", "text_model.final_layer_norm.weight"],
  ["ln_final.bias", "text_model.final_layer_norm.bias"],
  // As a layer of its own, which newer versions of open_clip have.
  ["text_projection.weight", "text_projection.weight"],
]);

const IN_LAYER: ReadonlyMap<string, string> = new Map([
  ["ln_1", "layer_norm1"],
  ["ln_2", "layer_norm2"],
  ["attn.out_proj", "self_attn.out_proj"],
  ["mlp.c_fc", "mlp.fc1"],
  ["mlp.c_proj", "mlp.fc2"],
]);

/**
 * The tensors of an encoder in the names of open_clip by those of transformers.
 * @param layers that are used, from the first.
 */
export function openClipTensors(text: TensorIndex, layers: number, refuse: Refuse): TensorIndex {
  return renamedTensors(text, (name, tensor) => {
    const outside = OUTSIDE_LAYERS.get(name);
    if (outside) return [{ ...tensor, name: outside }];
    if (name === "text_projection") return [transposed(tensor, "text_projection.weight")];
    const [, layer, inner] = /^transformer\.resblocks\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (!layer) return undefined;
    return Number(layer) < layers ? inLayer(layer, inner, tensor, refuse) : [];
  }, refuse);
}

/** What is multiplied from the right there is a linear layer's weight here. */
function transposed(tensor: IndexedTensor, name: string): IndexedTensor {
  return { ...tensor, name, shape: tensor.shape.toReversed(), transposed: true };
}

function inLayer(
  layer: string,
  inner: string,
  tensor: IndexedTensor,
  refuse: Refuse,
): IndexedTensor[] | undefined {
  const place = `text_model.encoder.layers.${layer}`;
  const [, kind] = /^attn\.in_proj_(weight|bias)$/.exec(inner) ?? [];
  if (kind) return thirds(tensor, (which) => `${place}.self_attn.${which}_proj.${kind}`, refuse);
  const [, module, end] = /^(.+)\.(weight|bias)$/.exec(inner) ?? [];
  const name = IN_LAYER.get(module);
  return name ? [{ ...tensor, name: `${place}.${name}.${end}` }] : undefined;
}

/** q, k and v lie one after the other: rows of one matrix. */
function thirds(
  tensor: IndexedTensor,
  nameOf: (which: string) => string,
  refuse: Refuse,
): IndexedTensor[] {
  const [rows, ...rest] = tensor.shape;
  if (rows % 3 !== 0) refuse(`${tensor.name} has ${rows} rows, which are not q, k and v`);
  const bytes = (tensor.end - tensor.start) / 3;
  return ["q", "k", "v"].map((which, i) => ({
    ...tensor,
    name: nameOf(which),
    shape: [rows / 3, ...rest],
    start: tensor.start + i * bytes,
    end: tensor.start + (i + 1) * bytes,
  }));
}
