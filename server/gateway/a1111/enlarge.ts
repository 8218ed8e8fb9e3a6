import { Worker } from "node:worker_threads";
import { AppError, reason } from "../../../core/error.ts";
import type { EnlargeAnswer, EnlargeOrder } from "./enlarge_thread.ts";

/** Milliseconds for one image. */
const MAX_MS = 30_000;

/**
 * An image at another size by Lanczos' kernel, as PNG. In a thread of its own: it takes seconds, and what
 * answers the network must not wait for it.
 * @throws AppError `invalid_request` for what is no image, or too large.
 */
export async function enlarge(order: EnlargeOrder): Promise<Uint8Array<ArrayBuffer>> {
  const worker = new Worker(new URL("./enlarge_thread.ts", import.meta.url));
  const { promise, resolve, reject } = Promise.withResolvers<EnlargeAnswer>();
  const timer = setTimeout(() => reject(new Error("it takes too long")), MAX_MS);
  worker.once("message", resolve);
  worker.once("error", reject);
  try {
    worker.postMessage(order);
    const answer = await promise.catch((error) => ({ why: reason(error) }));
    if ("file" in answer) return answer.file;
    throw new AppError("invalid_request", `Cannot enlarge the image: ${answer.why}`);
  } finally {
    clearTimeout(timer);
    worker.removeAllListeners();
    await worker.terminate();
  }
}
