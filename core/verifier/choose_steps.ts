import { AppError } from "../error.ts";
import {
  drawBlockOf,
  type Receipt,
  receiptId,
  sketchesOf,
  type Witness,
} from "../transcript/mod.ts";
import { drawSteered, drawSteps, privateWords, publicWords, type WordSource } from "./draw.ts";
import { oddestStep } from "./oddest_step.ts";

/** Which steps to open. */
export type StepChoice =
  | {
    /** How many; 3, or all of fewer, unless it is said. */
    readonly draw?: number;
    /** Of a block that was made after the receipt, in hex: it gives everybody the same draw. */
    readonly blockHash?: string;
    /** What says which block that is. */
    readonly witness?: Witness;
    /** Its number, where it was read from a chain. */
    readonly block?: number;
  }
  | { readonly take: "all" | readonly number[] };

export interface ChosenSteps {
  readonly steps: readonly number[];
  /** In private, by a block's hash, or by the checker. */
  readonly draw: "private" | "public" | "chosen";
  /** Of a public draw. */
  readonly blockHash?: string;
  /** Of a public draw whose block was read from a chain. */
  readonly block?: number;
  /** Of a public draw: who had the receipt, and before which block. */
  readonly witnessed?: { readonly by: string; readonly at: number; readonly draws: number };
}

const DEFAULT_DRAW = 3;

/**
 * Draws now that the receipt is in hand, or takes what was picked.
 * @throws AppError `challenge_invalid` for more steps than there are, a step that is not there, or
 * another block than the witness says; `invalid_request` for an invalid hash; of a witness that is
 * not this receipt's, as `drawBlockOf`.
 */
export function chooseSteps(receipt: Receipt, choice: StepChoice): ChosenSteps {
  if ("take" in choice) return { steps: pickedSteps(choice.take, receipt.steps), draw: "chosen" };
  const { draw = Math.min(DEFAULT_DRAW, receipt.steps), blockHash, block, witness } = choice;
  if (blockHash === undefined) {
    const words = privateWords((count) => crypto.getRandomValues(new Uint8Array(count)));
    return { steps: drawOf(receipt, draw, words), draw: "private" };
  }
  const id = receiptId(receipt);
  const witnessed = witness && witnessedBy(witness, id, block);
  const words = publicWords(bytesOfHash(blockHash), id);
  return {
    ...{ steps: drawOf(receipt, draw, words), draw: "public", blockHash },
    ...(block !== undefined && { block }),
    ...(witnessed && { witnessed }),
  };
}

function witnessedBy(
  witness: Witness,
  receipt: string,
  block: number | undefined,
): NonNullable<ChosenSteps["witnessed"]> {
  const draws = drawBlockOf(witness, receipt);
  if (block !== undefined && block !== draws) {
    throw new AppError(
      "challenge_invalid",
      `Cannot draw steps: the block is ${block}, and the receipt's witness says ${draws}`,
    );
  }
  return { by: witness.validator, at: witness.block.number, draws };
}

/** Steered where the receipt has sketches of its predictions; else all steps are alike. */
function drawOf(receipt: Receipt, count: number, words: WordSource): number[] {
  const sketches = sketchesOf(receipt);
  return sketches
    ? drawSteered(receipt.steps, count, oddestStep(sketches), words)
    : drawSteps(receipt.steps, count, words);
}

function pickedSteps(take: "all" | readonly number[], steps: number): number[] {
  if (take === "all") return Array.from({ length: steps }, (_, step) => step);
  const far = take.find((step) => !(step >= 0 && step < steps));
  if (far === undefined) return [...new Set(take)].sort((a, b) => a - b);
  throw new AppError(
    "challenge_invalid",
    `Cannot open a step: ${far} is not one of 0 to ${steps - 1}`,
  );
}

function bytesOfHash(text: string): Uint8Array {
  const hex = text.replace(/^0x/, "");
  if (/^[0-9a-fA-F]{64}$/.test(hex)) {
    return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }
  throw new AppError(
    "invalid_request",
    `Cannot draw steps: the block's hash is ${
      JSON.stringify(text.slice(0, 80))
    }, not 64 hexadecimal digits`,
  );
}
