/** The networks of a model that adapters change. */
export type AdaptedPart = "unet" | "text_encoder" | "text_encoder_2";

/** A module as a file names it. */
export interface ModuleName {
  readonly part: AdaptedPart;
  /** `down_blocks.0.attentions.0.proj_in`, or with `_` for `.` where {@link flat}. */
  readonly path: string;
  /** In kohya's way, in which a name cannot be told from another by taking it apart. */
  readonly flat: boolean;
}

/** What a tensor of a LoRA is of its module. */
export type TensorRole = "down" | "up" | "mid" | "alpha";

const ROLES: readonly (readonly [RegExp, TensorRole])[] = [
  [/\.(?:lora_down|lora_A|lora\.down|lora_linear_layer\.down)(?:\.default)?(?:\.weight)?$/, "down"],
  [/\.(?:lora_up|lora_B|lora\.up|lora_linear_layer\.up)(?:\.default)?(?:\.weight)?$/, "up"],
  [/\.lora_mid\.weight$/, "mid"],
  [/\.alpha$/, "alpha"],
];

/** Of diffusers' attention processors: `attn1.processor.to_q_lora.down.weight`. */
const PROCESSOR = /\.(?:processor\.)?to_(q|k|v|out)_lora\.(down|up)\.weight$/;

/** Kinds of adapters that are not built, by how their tensors end. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.(?:dora_scale|lora_magnitude_vector(?:\.\w+)*)$/, "DoRA"],
  [/\.hada_(?:w|t)\d/, "LoHa"],
  [/\.lokr_(?:w|t)\d/, "LoKr"],
  [/\.(?:oft_blocks|oft_diag|oft_R\b.*)$/, "OFT"],
  [/\.(?:a1|a2|b1|b2)\.weight$/, "GLoRA"],
  [/\.on_input$/, "(IA)3"],
  [/\.(?:diff|diff_b|w_norm|b_norm|set_weight)$/, "full differences"],
];

/** The module of a tensor and what it is of it; undefined where it is of no LoRA. */
export function roleOf(
  name: string,
): { readonly module: string; readonly role: TensorRole } | undefined {
  const [, layer, side] = PROCESSOR.exec(name) ?? [];
  if (layer) {
    const text = name.startsWith("text_encoder");
    const module = name.replace(PROCESSOR, `.${layerOf(layer, text)}`);
    return { module, role: side === "down" ? "down" : "up" };
  }
  const found = ROLES.find(([end]) => end.test(name));
  return found && { module: name.replace(found[0], ""), role: found[1] };
}

/** transformers calls the layers of its attention otherwise than diffusers. */
function layerOf(layer: string, text: boolean): string {
  if (text) return `${layer}_proj`;
  return layer === "out" ? "to_out.0" : `to_${layer}`;
}

/** The kind of an adapter that a tensor belongs to, where it is one that is not built. */
export function otherKind(name: string): string | undefined {
  return OTHER_KINDS.find(([end]) => end.test(name))?.[1];
}

const KOHYA: Readonly<Record<string, AdaptedPart>> = {
  lora_unet_: "unet",
  lora_te_: "text_encoder",
  lora_te1_: "text_encoder",
  lora_te2_: "text_encoder_2",
};
const DOTTED: Readonly<Record<string, AdaptedPart>> = {
  "text_encoder_2.": "text_encoder_2",
  "text_encoder.": "text_encoder",
  "unet.": "unet",
};

/** Which module a name means; undefined for networks that are not built. */
export function moduleName(module: string): ModuleName | undefined {
  const name = module.replace(/^base_model\.model\./, "");
  for (const [start, part] of Object.entries(KOHYA)) {
    if (name.startsWith(start)) return { part, path: name.slice(start.length), flat: true };
  }
  for (const [start, part] of Object.entries(DOTTED)) {
    if (name.startsWith(start)) return { part, path: name.slice(start.length), flat: false };
  }
  // A UNet's alone, as diffusers' training scripts once wrote it.
  const unet =
    /^(?:down_blocks|up_blocks|mid_block|conv_in|conv_out|time_embedding|add_embedding)\b/;
  return unet.test(name) ? { part: "unet", path: name, flat: false } : undefined;
}
