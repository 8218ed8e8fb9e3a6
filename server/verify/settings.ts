import { AppError } from "../../core/error.ts";
import type { Level, StepChoice } from "../../core/verifier/mod.ts";

/**
 * @throws AppError `invalid_request` for anything but a number, `all` or a list; and for a block's
 * hash together with steps that are not drawn.
 */
export function parseSteps(text: string | undefined, blockHash: string | undefined): StepChoice {
  if (text === undefined) return { blockHash };
  if (/^[0-9]{1,4}$/.test(text)) return { draw: Number(text), blockHash };
  const take = text === "all" ? text : parseList(text);
  if (blockHash !== undefined) refuse("--block-hash draws steps, and --steps says which");
  return { take };
}

function parseList(text: string): number[] {
  if (/^[0-9]{1,4}(,[0-9]{1,4})*,?$/.test(text)) {
    return text.split(",").filter((part) => part !== "").map(Number);
  }
  return refuse(`--steps is ${text}, not a number, "all" or a list such as 0,14,29`);
}

/** @throws AppError `invalid_request`. */
export function parseLevel(text: string | undefined): Level | undefined {
  const level = ([0, 1, 2, 3] as const).find((each) => String(each) === text);
  return text === undefined || level !== undefined
    ? level
    : refuse(`--level is ${text}, not one of 0, 1, 2, 3`);
}

/** @returns milliseconds. @throws AppError `invalid_request`. */
export function parseTimeout(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3600) return 1000 * seconds;
  return refuse(`--timeout is ${text}, not a number of seconds up to 3600`);
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
