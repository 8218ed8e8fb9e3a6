import { checkImage, checkStatement, committedFile } from "../../core/verifier/mod.ts";
import { receiptFromJson } from "../../core/transcript/mod.ts";
import { parseJson } from "../http/mod.ts";
import { escaped } from "./messages.ts";

/**
 * What level 0 says of a receipt, and of an image where there is one.
 * @param now milliseconds since 1970.
 * @throws AppError saying what does not hold.
 */
export function checkedText(
  file: Uint8Array<ArrayBuffer>,
  image: Uint8Array<ArrayBuffer> | undefined,
  now: number,
): string {
  const statement = checkStatement(receiptFromJson(parseJson(file)), { now });
  const { receipt, id } = statement;
  if (image) checkImage(statement, committedFile(receipt, image));
  const { miner, model, times, request } = receipt;
  return [
    `**The receipt holds**, at level 0: the miner ${miner} signed it.`,
    `Receipt: ${id}`,
    `Model: ${escaped(model.id)}, ended ${new Date(times.finished).toISOString()}`,
    `Prompt: ${escaped(String(request.prompt ?? "").slice(0, MAX_SHOWN))}`,
    image
      ? "The image is the one that it commits to, byte by byte."
      : "Give the image too, and it is compared with the receipt.",
    "Whether each step was computed as it says is seen by its opened steps: the button Proof leads there.",
  ].join("\n");
}

/** Characters of a prompt in an answer. */
const MAX_SHOWN = 300;
