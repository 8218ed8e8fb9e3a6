import { decodeRequest } from "../request/mod.ts";
import { type Receipt, receiptId } from "../transcript/mod.ts";
import { type Infotext, writeInfotext } from "./infotext.ts";
import { samplerOf } from "./samplers.ts";

/** Letters of a hash that galleries show. */
const SHORT = 10;

/**
 * How a receipt's image was made, and where the receipt is found.
 * @param by name and version of the program that says so.
 * @param address where the receipt is found, if anywhere.
 */
export function infotextOf(
  receipt: Receipt,
  by: string,
  address?: string,
): string {
  return writeInfotext(factsOf(receipt, by, address));
}

function factsOf(receipt: Receipt, by: string, address?: string): Infotext {
  const { model } = receipt;
  const request = decodeRequest(receipt.request, NOTHING_LEFT_OUT);
  const choice = samplerOf(request.scheduler);
  return {
    ...{ prompt: request.prompt, negativePrompt: request.negativePrompt },
    parameters: {
      Steps: request.steps,
      Sampler: choice?.sampler ?? "Automatic",
      "Schedule type": choice?.schedule,
      "CFG scale": request.guidanceScale,
      Seed: String(request.seed),
      Size: `${request.width}x${request.height}`,
      "Model hash": model.manifest.slice(0, SHORT),
      Model: model.id,
      "Denoising strength": request.strength,
      "Clip skip": request.clipSkip === 0 ? undefined : request.clipSkip + 1,
      Adapters: request.adapters.length === 0
        ? undefined
        : request.adapters.map(({ sha256, scale }) => `${sha256.slice(0, SHORT)}: ${scale}`).join(),
      Version: by,
      "Stepwise receipt": receiptId(receipt),
      "Stepwise address": address,
    },
  };
}

/** A receipt's request is complete. */
const NOTHING_LEFT_OUT = { width: 8, height: 8, steps: 1, guidanceScale: 1, seed: 0n };
