import { readInfotext } from "../../../core/infotext/mod.ts";

/** What of a text's parameters a call's fields are. */
const FIELDS: readonly (readonly [name: string, field: string, number: boolean])[] = [
  ["Steps", "steps", true],
  ["Sampler", "sampler_name", false],
  ["Schedule type", "scheduler", false],
  ["CFG scale", "cfg_scale", true],
  ["Seed", "seed", false],
  ["Size-1", "width", true],
  ["Size-2", "height", true],
  ["Denoising strength", "denoising_strength", true],
  ["Clip skip", "clip_skip", true],
];

/** The fields of a call that would make the image of a text again. */
export function parseInfotextFields(text: string): Readonly<Record<string, unknown>> {
  const { prompt, negativePrompt, parameters } = readInfotext(text);
  const given = FIELDS.flatMap(([name, field, number]) => {
    const value = parameters[name];
    if (value === undefined || number && !Number.isFinite(Number(value))) return [];
    return [[field, number ? Number(value) : value]];
  });
  return { prompt, negative_prompt: negativePrompt, ...Object.fromEntries(given) };
}
