import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import { type LoraTag, takeLoraTags } from "../../core/prompt/mod.ts";
import type { GenerateFlags } from "./input.ts";

/**
 * Takes A1111's `<lora:name:0.8>` out of the prompts and finds the files: what is asked for is then the
 * same as with `--lora`, and the request names each by its bytes.
 * @throws AppError `invalid_request` for tags that an adapter cannot follow.
 */
export function withLoraTags(
  prompt: string,
  flags: GenerateFlags,
): { readonly prompt: string; readonly flags: GenerateFlags } {
  if (flags.weighting !== "a1111") return { prompt, flags };
  const first = takeLoraTags(prompt);
  const second = flags.prompt2 === undefined ? undefined : takeLoraTags(flags.prompt2);
  const tagged = [...first.loras, ...second?.loras ?? []];
  const loras = tagged.map((lora) => sourceOf(lora, flags.loraFolder));
  const lora = [...flags.lora ?? [], ...loras];
  return { prompt: first.prompt, flags: { ...flags, prompt2: second?.prompt, lora } };
}

function sourceOf({ name, unetScale, textScale, tag }: LoraTag, folder = "."): string {
  if (unetScale === textScale) return `${join(folder, `${name}.safetensors`)}:${unetScale}`;
  throw new AppError(
    "invalid_request",
    `Cannot generate: ${tag} scales the text encoder by ${textScale} and the UNet by ${unetScale}; ` +
      "a LoRA has one scale here",
    { field: "prompt" },
  );
}
