import { AppError } from "../../../core/error.ts";
import { MAX_CLOCK_SKEW_MS, receiptId } from "../../../core/transcript/mod.ts";
import { checkImage, checkStatement, committedFile } from "../../../core/verifier/mod.ts";
import type { CheckOrder, TabReport } from "../api/mod.ts";

/**
 * What of level 0 can be checked without the model: the signature, the time and the image. The plan
 * and the proofs follow from the model's scheduler.
 */
export async function checkAlone(order: CheckOrder): Promise<TabReport> {
  const { receipt, image } = order;
  const started = performance.now();
  const bytes = image && committedFile(receipt, new Uint8Array(await image.arrayBuffer()));
  const refusal = refusalOf(() => {
    checkStatement(receipt, { now: Date.now() + MAX_CLOCK_SKEW_MS });
    if (bytes) checkImage({ receipt }, bytes);
  });
  return {
    verdict: refusal ? "invalid" : "honest",
    reasons: refusal ? [refusal.message] : [],
    ...(refusal && { code: refusal.code }),
    ...{ level: 0, asked: order.level, statementOnly: true },
    receipt: receiptId(receipt),
    miner: receipt.miner,
    model: receipt.model,
    ...{
      opened: [],
      of: receipt.steps,
      draw: "private",
      drawnBy: "drawn in private",
      steps: [],
      tolerances: "default",
    },
    cost: {
      ...{ openings: 0, bytes: 0, evaluations: 0, share: 0 },
      ...{ openingMs: 0, loadMs: 0, networkMs: 0, decodeMs: 0 },
      totalMs: performance.now() - started,
    },
  };
}

function refusalOf(check: () => void): AppError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
