import { AppError } from "../../../core/error.ts";
import { parseJsonText } from "../../../core/json_text.ts";
import { finalBlockHash } from "../../../core/protocol/mod.ts";
import {
  decodeWitness,
  drawBlockOf,
  type Receipt,
  receiptId,
} from "../../../core/transcript/mod.ts";
import type { StepChoice } from "../../../core/verifier/mod.ts";
import type { WitnessedDraw } from "../api/mod.ts";

/** Milliseconds for each answer of a node. */
const NODE_MS = 15_000;

/**
 * Reads the hash of the block that draws a receipt's steps from a node of the chain.
 * @throws AppError as `decodeWitness`, `drawBlockOf` and `finalBlockHash`.
 */
export async function witnessedSteps(
  receipt: Receipt,
  { draw, node, witness: text }: WitnessedDraw,
): Promise<StepChoice> {
  const json = parsed(text);
  const { witness: inside = json } = Object(json);
  const witness = decodeWitness(inside);
  const block = drawBlockOf(witness, receiptId(receipt));
  return { draw, witness, block, blockHash: await finalBlockHash(node, block, NODE_MS) };
}

function parsed(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch (cause) {
    const why = "it is not JSON; paste what came with the image as `witness`";
    throw new AppError("receipt_invalid", `Cannot read a witness: ${why}`, { cause });
  }
}
