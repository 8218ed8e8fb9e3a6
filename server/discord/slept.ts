import { setTimeout } from "node:timers/promises";

/** Waits. @throws the signal's reason once it is aborted. */
export async function slept(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
