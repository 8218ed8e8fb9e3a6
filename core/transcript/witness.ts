import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { AppError } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";
import { decodeSs58, type Hotkey, isSs58, verifySr25519 } from "../keys/mod.ts";
import { canonicalJson } from "./canonical_json.ts";

/** Blocks from the one that a receipt was seen at to the one that draws its steps. */
const DRAW_DELAY = 3;

const hash = z.string().regex(/^[0-9a-f]{64}$/, "not 32 bytes in lower-case hex");

/** As JSON. */
export const witnessSchema = z.strictObject({
  /** {@link receiptId}. */
  receipt: hash,
  /** The newest block that its validator knew when it got the receipt. */
  block: z.strictObject({ number: z.int().min(0).max(2 ** 32 - 1), hash }),
  /** SS58 hotkey. */
  validator: z.string().max(64).refine(isSs58, "not an SS58 address"),
  /** sr25519 by the validator's hotkey over {@link witnessMessage}, in lower-case hex. */
  signature: z.string().regex(/^[0-9a-f]{128}$/, "not 64 bytes in lower-case hex"),
});

/**
 * A validator's word that it had a receipt while a block was the newest: what binds a public draw to
 * a moment. Without it a miner that knows the block tries receipts until the draw suits it.
 */
export type Witness = z.infer<typeof witnessSchema>;

type Statement = Omit<Witness, "signature">;

/** What the validator signs: "stepwise-witness-v1", a line feed, and the canonical JSON, in UTF-8. */
function witnessMessage({ receipt, block, validator }: Statement): Uint8Array<ArrayBuffer> {
  const statement = canonicalJson({ receipt, block, validator });
  return new TextEncoder().encode(`stepwise-witness-v1\n${statement}`);
}

/** @param receipt `receiptId`. @param block the newest that is known now. */
export async function signWitness(
  receipt: string,
  block: Witness["block"],
  { address, sign }: Hotkey,
): Promise<Witness> {
  const statement = { receipt, block, validator: address };
  return { ...statement, signature: bytesToHex(await sign(witnessMessage(statement))) };
}

/** @throws AppError `receipt_invalid` naming the field. The signature is not checked. */
export function decodeWitness(json: unknown): Witness {
  const result = witnessSchema.safeParse(json);
  if (result.success) return result.data;
  const why = issueSentence(result.error.issues[0], json);
  throw new AppError("receipt_invalid", `Cannot read a witness: ${why}`, { cause: result.error });
}

/**
 * The number of the block whose hash draws the steps of a witnessed receipt.
 * @param receipt `receiptId`.
 * @throws AppError `receipt_mismatch` for the witness of another receipt, `signature_invalid`.
 */
export function drawBlockOf(witness: Witness, receipt: string): number {
  if (witness.receipt !== receipt) {
    throw new AppError(
      "receipt_mismatch",
      "Cannot use the witness: its receipt is not the expected one",
    );
  }
  const signature = hexToBytes(witness.signature);
  if (!verifySr25519(witnessMessage(witness), signature, decodeSs58(witness.validator))) {
    throw new AppError(
      "signature_invalid",
      `Cannot trust the witness: its signature is not that of ${witness.validator}`,
    );
  }
  return witness.block.number + DRAW_DELAY;
}
