import type { TensorIndex } from "../safetensors/mod.ts";
import { diffusersNameOfLdmUnet, type UNetBlocks } from "./ldm_unet_names.ts";
import { countBelow, type Refuse, renamedTensors, shapeOf } from "./part.ts";

/** What names and shapes say of a UNet, in the fields of diffusers' UNet2DConditionModel. */
export interface LdmUnet extends UNetBlocks {
  readonly block_out_channels: readonly number[];
  readonly cross_attention_dim: number;
  readonly in_channels: number;
  readonly mid_block_type: string | null;
  readonly out_channels: number;
  /** With SDXL's pooled text and sizes, how wide they are together. */
  readonly projection_class_embeddings_input_dim: number | null;
  readonly reverse_transformer_layers_per_block: readonly Depth[] | null;
  readonly transformer_layers_per_block: number | readonly Depth[];
  readonly use_linear_projection: boolean;
}

/** Transformer blocks of a level's layers, or of each of them. */
type Depth = number | readonly number[];

/** A level's layers, in their order: transformer blocks of each, 0 without attention. */
type Depths = readonly number[];

const RESNET_OUT = "0.out_layers.3.weight";

/** @param unet its tensors, by names without what stands before them. */
export function readLdmUnet(unet: TensorIndex, refuse: Refuse): LdmUnet {
  const inputs = inputLevels(unet);
  const down = inputs.map((blocks) =>
    blocks.map((block) => depthOf(unet, `input_blocks.${block}`))
  );
  const up = outputDepths(unet, down.map(({ length }) => length + 1).toReversed());
  const middle = unet.has("middle_block.1.norm.weight") ? depthOf(unet, "middle_block") : undefined;
  const layers = down.map(({ length }) => length);
  return {
    block_out_channels: inputs.map(([first]) =>
      shapeOf(unet, `input_blocks.${first}.${RESNET_OUT}`, refuse)[0]
    ),
    cross_attention_dim: contextWidth(unet, refuse),
    down_block_types: down.map((level) => `${attentionName(level)}DownBlock2D`),
    in_channels: shapeOf(unet, "input_blocks.0.0.weight", refuse)[1],
    layers_per_block: same(layers) ? layers[0] : layers,
    mid_block_type: middleType(unet, middle),
    out_channels: shapeOf(unet, "out.2.weight", refuse)[0],
    projection_class_embeddings_input_dim: unet.get("label_emb.0.0.weight")?.shape[1] ?? null,
    ...depthFields(down, up, middle),
    up_block_types: up.map((level) => `${attentionName(level)}UpBlock2D`),
    use_linear_projection: projection(unet, refuse).length === 2,
  };
}

/** @returns the tensors by their names in diffusers. */
export function ldmUnetTensors(unet: TensorIndex, blocks: UNetBlocks, refuse: Refuse): TensorIndex {
  return renamedTensors(unet, (ldm, tensor) => {
    const name = diffusersNameOfLdmUnet(ldm, blocks);
    return name === undefined ? undefined : [{ ...tensor, name }];
  }, refuse);
}

/** Numbers of the input blocks that are layers, a level; a downsampler ends one. */
function inputLevels(unet: TensorIndex): number[][] {
  const levels: number[][] = [[]];
  const blocks = countBelow(unet, "input_blocks.");
  for (let block = 1; block < blocks; block++) {
    if (unet.has(`input_blocks.${block}.0.op.weight`)) levels.push([]);
    else levels[levels.length - 1].push(block);
  }
  return levels;
}

function outputDepths(unet: TensorIndex, layers: readonly number[]): Depths[] {
  let block = 0;
  return layers.map((count) =>
    Array.from({ length: count }, () => depthOf(unet, `output_blocks.${block++}`))
  );
}

function depthOf(unet: TensorIndex, block: string): number {
  return countBelow(unet, `${block}.1.transformer_blocks.`);
}

function attentionName(depths: Depths): string {
  return depths.some((depth) => depth > 0) ? "CrossAttn" : "";
}

function middleType(unet: TensorIndex, middle: number | undefined): string | null {
  if (middle !== undefined) return "UNetMidBlock2DCrossAttn";
  return unet.has("middle_block.0.in_layers.0.weight") ? "UNetMidBlock2D" : null;
}

/** The middle block takes the depth of the last level, which may have no attention of its own. */
function depthFields(down: readonly Depths[], up: readonly Depths[], middle = 1) {
  const levels = down.map((depths, i): Depth => {
    if (!attentionName(depths)) return i === down.length - 1 ? middle : 1;
    return same(depths) ? depths[0] : depths;
  });
  const [first] = levels;
  const mirrored = up.toReversed().every((depths, i) =>
    !attentionName(depths) || depths.every((depth) => depth === levels[i])
  );
  return {
    transformer_layers_per_block: typeof first === "number" && same(levels) ? first : levels,
    reverse_transformer_layers_per_block: mirrored
      ? null
      : up.map((depths): Depth => same(depths) ? depths[0] : depths),
  };
}

function same(values: readonly unknown[]): boolean {
  return values.every((value) => value === values[0]);
}

function contextWidth(unet: TensorIndex, refuse: Refuse): number {
  return shapeEndingIn(unet, ".attn2.to_k.weight", refuse)[1];
}

function projection(unet: TensorIndex, refuse: Refuse): readonly number[] {
  return shapeEndingIn(unet, ".1.proj_in.weight", refuse);
}

function shapeEndingIn(unet: TensorIndex, end: string, refuse: Refuse): readonly number[] {
  for (const [name, { shape }] of unet) if (name.endsWith(end)) return shape;
  return refuse(`its UNet attends to no text: no tensor ends in ${end}`);
}
