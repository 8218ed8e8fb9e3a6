import { AppError, reason } from "../../../core/error.ts";
import { AskedThread } from "../../compute/mod.ts";
import type { EnlargeAnswer, EnlargeOrder } from "./enlarge_thread.ts";

const THREAD = new URL("./enlarge_thread.ts", import.meta.url);
/** Milliseconds for one image. */
const MAX_MS = 30_000;

/**
 * An image at another size by Lanczos' kernel, as PNG. In a thread of its own: it takes seconds, and what
 * answers the network must not wait for it.
 * @throws AppError `invalid_request` for what is no image, or too large.
 */
export async function enlarge(order: EnlargeOrder): Promise<Uint8Array<ArrayBuffer>> {
  await using thread = new AskedThread<EnlargeOrder, EnlargeAnswer>(THREAD, MAX_MS);
  const answer = await thread.ask(order).catch((error) => ({ why: reason(error) }));
  if ("file" in answer) return answer.file;
  throw new AppError("invalid_request", `Cannot enlarge the image: ${answer.why}`);
}
