import { AppError } from "../../core/error.ts";
import { type Receipt, receiptId } from "../../core/transcript/mod.ts";
import { drawSteps, type Level, privateWords, publicWords } from "../../core/verification/mod.ts";

/** How many steps to draw, or which to take. */
export type StepChoice = { readonly draw: number | undefined } | {
  readonly take: "all" | number[];
};

const DEFAULT_DRAW = 3;

/** @throws AppError `invalid_request` for anything but a number, `all` or a list. */
export function parseSteps(text: string | undefined): StepChoice {
  if (text === undefined) return { draw: undefined };
  if (text === "all") return { take: "all" };
  if (/^[0-9]{1,4}$/.test(text)) return { draw: Number(text) };
  if (/^[0-9]{1,4}(,[0-9]{1,4})*,?$/.test(text)) {
    const steps = text.split(",").filter((part) => part !== "").map(Number);
    return { take: [...new Set(steps)].sort((a, b) => a - b) };
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

/** @returns the block's hash. @throws AppError `invalid_request`. */
export function parseBlockHash(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const hex = text.replace(/^0x/, "");
  if (/^[0-9a-fA-F]{64}$/.test(hex)) return Uint8Array.fromHex(hex);
  return refuse(`--block-hash is ${text}, not 64 hexadecimal digits`);
}

/**
 * The steps to open, drawn now that the receipt is in hand: by the block's hash, or in private.
 * @throws AppError `challenge_invalid` for more steps than there are, or a step that is not there;
 * `invalid_request` when steps are chosen and to be drawn.
 */
export function chooseSteps(
  receipt: Receipt,
  choice: StepChoice,
  blockHash: Uint8Array | undefined,
): number[] {
  if ("take" in choice) {
    if (blockHash) refuse("--block-hash draws steps, and --steps says which");
    if (choice.take === "all") return Array.from({ length: receipt.steps }, (_, i) => i);
    return choice.take.map((step) => checkStep(step, receipt.steps));
  }
  const words = blockHash
    ? publicWords(blockHash, receiptId(receipt))
    : privateWords((count) => crypto.getRandomValues(new Uint8Array(count)));
  return drawSteps(receipt.steps, choice.draw ?? Math.min(DEFAULT_DRAW, receipt.steps), words);
}

function checkStep(step: number, steps: number): number {
  if (step < steps) return step;
  throw new AppError(
    "challenge_invalid",
    `Cannot open a step: ${step} is not one of 0 to ${steps - 1}`,
  );
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
