import { AppError, reason } from "../../core/error.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import type { EngineFlags } from "../compute/mod.ts";
import type { OutputFlags } from "./outputs.ts";

/** What `deno task generate` was given, as typed. */
export interface GenerateFlags extends EngineFlags, OutputFlags {
  readonly lora?: readonly string[];
  readonly loraFolder?: string;
  readonly negative?: string;
  readonly negative2?: string;
  readonly prompt2?: string;
  readonly width?: string;
  readonly height?: string;
  readonly steps?: string;
  readonly guidance?: string;
  readonly seed?: string;
  readonly scheduler?: string;
  readonly batch?: string;
  readonly weighting?: string;
  readonly clipSkip?: string;
  readonly guidanceRescale?: string;
  readonly keywords: boolean;
  readonly chromePath?: string;
  readonly signingSeed?: string;
  readonly quality?: string;
  readonly vaeTiling?: boolean;
  readonly image?: string;
  readonly mask?: string;
  readonly strength?: string;
  readonly maskBlur?: string;
  readonly onlyMasked?: boolean;
  readonly padding?: string;
  readonly outpaint?: string;
  readonly parent?: string;
  readonly upscale?: string;
  readonly upscaler?: string;
  /** True where it is given without a number. */
  readonly refine?: string | true;
  readonly control?: readonly string[];
  readonly controlnet?: readonly string[];
}

/** The request as JSON would carry it: only what was given, numbers as numbers. */
export function requestInput(prompt: string, flags: GenerateFlags): Record<string, unknown> {
  const given = {
    prompt,
    prompt2: flags.prompt2,
    negativePrompt: flags.negative,
    negativePrompt2: flags.negative2,
    width: numberOr(flags.width),
    height: numberOr(flags.height),
    steps: numberOr(flags.steps),
    guidanceScale: numberOr(flags.guidance),
    seed: flags.seed,
    scheduler: flags.scheduler && parseScheduler(flags.scheduler),
    batch: numberOr(flags.batch),
    expandKeywords: flags.keywords,
    weighting: flags.weighting,
    clipSkip: numberOr(flags.clipSkip),
    guidanceRescale: numberOr(flags.guidanceRescale),
    strength: numberOr(flags.strength),
    vaeTiling: flags.vaeTiling,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The number, or the text itself where it is none, so that an error can show what was typed. */
function numberOr(text: string | undefined): number | string | undefined {
  if (text === undefined || text.trim() === "") return text;
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function parseScheduler(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError(
      "invalid_request",
      `Cannot generate: --scheduler is not well-formed JSON (${reason(cause)})`,
      { cause },
    );
  }
}

/**
 * @param text of `--quality`, where it was given.
 * @throws AppError `invalid_request` for no number from 1 to 100, and for a format that has none.
 */
export function decodeQuality(text: string | undefined, format: ImageFormat): number | undefined {
  if (text === undefined) return undefined;
  if (format === "png") {
    throw new AppError(
      "invalid_request",
      "Cannot generate: --quality is of .jpg and .webp, and a PNG loses nothing; leave it out, or " +
        "give --out another ending",
    );
  }
  const quality = Number(text);
  if (Number.isInteger(quality) && quality >= 1 && quality <= 100) return quality;
  throw new AppError(
    "invalid_request",
    `Cannot generate: --quality is ${text}, not a whole number from 1 to 100`,
  );
}
