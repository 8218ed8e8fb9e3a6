import { resolve } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import type { EngineFlags } from "../compute/mod.ts";

/** What `deno task generate` was given, as typed. */
export interface GenerateFlags extends EngineFlags {
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
  readonly keywords: boolean;
  readonly chromePath?: string;
  readonly out?: string;
  readonly transcriptOut?: string;
  readonly receiptOut?: string;
  readonly signingSeed?: string;
  readonly quality: string;
  readonly json: boolean;
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

export function decodeQuality(text: string): number {
  const quality = Number(text);
  if (quality >= 1 && quality <= 100) return quality;
  throw new AppError(
    "invalid_request",
    `Cannot generate: --quality is ${text}, not a number from 1 to 100`,
  );
}

/** @throws AppError `invalid_request` for a file that would be written twice. */
export function refuseSameFiles(paths: readonly string[]): void {
  const files = paths.map((path) => resolve(path));
  const twice = paths.find((_, k) => files.indexOf(files[k]) !== k);
  if (twice === undefined) return;
  throw new AppError(
    "invalid_request",
    `Cannot write ${twice}: it is asked for twice, by --out, --transcript-out or --receipt-out`,
  );
}

/** `x.png`, or `x-1.png`, `x-2.png`, ... for a batch. */
export function outputPaths(out: string, batch: number): string[] {
  if (batch === 1) return [out];
  const dot = out.search(/(\.[^./]*)?$/);
  return Array.from({ length: batch }, (_, k) => `${out.slice(0, dot)}-${k + 1}${out.slice(dot)}`);
}
