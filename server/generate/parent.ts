import { AppError } from "../../core/error.ts";
import { checkSignature, type Receipt } from "../../core/transcript/mod.ts";
import { readReceipt, type SourceFiles } from "../sources/mod.ts";

/**
 * The receipt of the image that a run goes on from.
 * @throws AppError `invalid_request` when it is another image's; `receipt_invalid`, `signature_invalid`.
 */
export async function readParent(path: string, { image }: SourceFiles): Promise<Receipt> {
  if (!image) refuse("--parent is the receipt of --image: give that too");
  const receipt = await readReceipt(path);
  checkSignature(receipt);
  if (receipt.image.sha256 === image.sha256) return receipt;
  return refuse(
    `--parent ${path} is the receipt of an image with the hash ${receipt.image.sha256}, and that of ` +
      `--image is ${image.sha256}`,
  );
}

/** What the parent drew. @throws AppError `invalid_request` where there is no parent. */
export function promptOf(parent: Receipt | undefined): string {
  const prompt = parent?.request.prompt;
  if (typeof prompt === "string") return prompt;
  return refuse(`there is no prompt: give one; "" lets the model choose`);
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot generate: ${why}`);
}
