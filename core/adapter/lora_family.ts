/** Models by what their UNet attends to: the same names and, but for this, nearly the same shapes. */
const BY_TEXT_WIDTH: Readonly<Record<number, string>> = { 768: "SD 1", 1024: "SD 2", 2048: "SDXL" };

/** `ss_base_model_version` of kohya, `modelspec.architecture` of others. */
const STATED: readonly (readonly [RegExp, string])[] = [
  [/^(?:sd_v1|stable-diffusion-v1)\b/, "SD 1"],
  [/^(?:sd_v2|stable-diffusion-v2)\b/, "SD 2"],
  [/^(?:sdxl|stable-diffusion-xl)/, "SDXL"],
];

/** Of a UNet by its `config.json`; undefined where it is as wide as no published one. */
export function familyOfUnet(config: unknown): string | undefined {
  const { cross_attention_dim: width } = Object(config);
  return BY_TEXT_WIDTH[Array.isArray(width) ? width[0] : width];
}

/** What a LoRA's writer noted of the base; undefined for anything else than these families. */
export function statedFamily(base: string): string | undefined {
  return STATED.find(([start]) => start.test(base))?.[1];
}
