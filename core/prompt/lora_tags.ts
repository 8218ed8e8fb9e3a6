import { unread } from "./fragments.ts";

/** A LoRA that a prompt asks for by name, as in `<lora:name:0.8>`. */
export interface LoraTag {
  readonly name: string;
  /** Of its change of the UNet, and of the text encoders. */
  readonly unetScale: number;
  readonly textScale: number;
  /** As it was written. */
  readonly tag: string;
}

const TAG = /<(\w+):([^<>]+)>/g;

/**
 * Takes A1111's tags out of a prompt: `<lora:name>`, `<lora:name:scale>`, `<lora:name:text:unet>`, and
 * with `te=` and `unet=` before the numbers. Names say nothing of whose file it is: the caller finds it.
 * @throws AppError `invalid_request` for other networks, and for a scale that is no number.
 */
export function takeLoraTags(
  prompt: string,
): { readonly prompt: string; readonly loras: readonly LoraTag[] } {
  const loras = [...prompt.matchAll(TAG)].map(readTag);
  return { prompt: prompt.replace(TAG, ""), loras };
}

function readTag([tag, kind, content]: RegExpExecArray): LoraTag {
  // LyCORIS had a tag of its own once.
  if (!["lora", "lyco"].includes(kind)) {
    throw unread("a1111", tag, "of networks in a prompt only <lora:name:scale> is read");
  }
  const [name, ...scales] = content.split(":");
  const given: Record<string, number> = {};
  for (const [i, text] of scales.entries()) {
    const [key, value] = text.includes("=") ? text.split("=", 2) : [["te", "unet"][i], text];
    if ((key !== "te" && key !== "unet") || !/^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$/.test(value)) {
      throw unread("a1111", tag, "it is <lora:name:scale>, the scale a number");
    }
    given[key] = Number(value);
  }
  const { te: textScale = 1, unet: unetScale = textScale } = given;
  return { name, unetScale, textScale, tag };
}
