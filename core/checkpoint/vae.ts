import type { IndexedTensor, TensorIndex } from "../safetensors/mod.ts";
import { countBelow, type Refuse, renamedTensors, shapeOf } from "./part.ts";

/** What names and shapes say of a VAE, in the fields of diffusers' AutoencoderKL. */
export interface VaeShape {
  readonly block_out_channels: readonly number[];
  readonly down_block_types: readonly string[];
  readonly in_channels: number;
  readonly latent_channels: number;
  readonly layers_per_block: number;
  readonly mid_block_add_attention: boolean;
  readonly out_channels: number;
  readonly up_block_types: readonly string[];
  readonly use_post_quant_conv: boolean;
  readonly use_quant_conv: boolean;
}

/** @param vae its tensors, by their names in diffusers. */
export function readVae(vae: TensorIndex, refuse: Refuse): VaeShape {
  const shape = (name: string) => shapeOf(vae, `decoder.${name}.weight`, refuse);
  const widths = Array.from(
    { length: countBelow(vae, "decoder.up_blocks.") },
    (_, i) => shape(`up_blocks.${i}.resnets.0.conv1`)[0],
  );
  return {
    block_out_channels: widths.toReversed(),
    down_block_types: widths.map(() => "DownEncoderBlock2D"),
    in_channels: vae.get("encoder.conv_in.weight")?.shape[1] ?? 3,
    latent_channels: shape("conv_in")[1],
    // The decoder has one more.
    layers_per_block: countBelow(vae, "decoder.up_blocks.0.resnets.") - 1,
    mid_block_add_attention: vae.has("decoder.mid_block.attentions.0.group_norm.weight"),
    out_channels: shape("conv_out")[0],
    up_block_types: widths.map(() => "UpDecoderBlock2D"),
    use_post_quant_conv: vae.has("post_quant_conv.weight"),
    use_quant_conv: vae.has("quant_conv.weight"),
  };
}

/** @returns the tensors by their names in diffusers. */
export function ldmVaeTensors(vae: TensorIndex, refuse: Refuse): TensorIndex {
  const levels = countBelow(vae, "decoder.up.");
  return renamedTensors(vae, (ldm, tensor) => {
    const name = diffusersName(ldm, levels);
    return name === undefined ? undefined : [{ ...asMatrix(ldm, tensor), name }];
  }, refuse);
}

/** Attention's layers are kept as 1x1 convolutions; a linear layer has the same bytes. */
function asMatrix(ldm: string, tensor: IndexedTensor): IndexedTensor {
  const [to, from, ...kernel] = tensor.shape;
  const one = kernel.length === 2 && kernel.every((side) => side === 1);
  return one && ldm.includes(".mid.attn_1.") ? { ...tensor, shape: [to, from] } : tensor;
}

const IN_HALF: readonly (readonly [RegExp, string])[] = [
  [/^(conv_in|conv_out)\./, "$1."],
  [/^norm_out\./, "conv_norm_out."],
  [/^mid\.block_1\./, "mid_block.resnets.0."],
  [/^mid\.block_2\./, "mid_block.resnets.1."],
  [/^mid\.attn_1\.norm\./, "mid_block.attentions.0.group_norm."],
  // Some converters kept diffusers' newer names of these.
  [/^mid\.attn_1\.(?:to_)?([qkv])\./, "mid_block.attentions.0.to_$1."],
  [/^mid\.attn_1\.(?:proj_out|to_out\.0)\./, "mid_block.attentions.0.to_out.0."],
  [/^down\.(\d+)\.block\.(\d+)\./, "down_blocks.$1.resnets.$2."],
  [/^down\.(\d+)\.downsample\./, "down_blocks.$1.downsamplers.0."],
  [/^up\.(\d+)\.block\.(\d+)\./, "up_blocks.$1.resnets.$2."],
  [/^up\.(\d+)\.upsample\./, "up_blocks.$1.upsamplers.0."],
];

function diffusersName(ldm: string, levels: number): string | undefined {
  if (/^(post_)?quant_conv\./.test(ldm)) return ldm;
  const [, half, rest] = /^(encoder|decoder)\.(.+)$/.exec(ldm) ?? [];
  const rule = IN_HALF.find(([pattern]) => pattern.test(rest));
  if (!half || !rule) return undefined;
  const name = rest.replace(...rule)
    .replace(".nin_shortcut.", ".conv_shortcut.")
    // Numbered from the largest picture in LDM, from the smallest in diffusers.
    .replace(/^up_blocks\.(\d+)/, (_, i) => `up_blocks.${levels - 1 - Number(i)}`);
  return `${half}.${name}`;
}
