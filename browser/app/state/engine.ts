import { proxy, type Remote, wrap } from "comlink";
import type { WorkerApi } from "../api/mod.ts";

const worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module" });

/** The worker that computes; the page itself only shows. */
export const engine: Remote<WorkerApi> = wrap<WorkerApi>(worker);

const failure = Promise.withResolvers<never>();
// Nobody may be waiting for it.
failure.promise.catch(() => {});
const fail = () =>
  failure.reject(
    new Error("Cannot compute: the page's worker did not load. Reload the page to try again."),
  );
worker.addEventListener("error", fail);
// It is there: from now on what goes wrong in a job comes back to the one who asked.
worker.addEventListener("message", () => worker.removeEventListener("error", fail), { once: true });

/** What the worker answers, or that it never will. */
export function answered<T>(answer: Promise<T>): Promise<T> {
  return Promise.race([answer, failure.promise]);
}

/** A callback that the worker may call, and lets go of at the end of its job. */
export function listener<T>(listen: (event: T) => void): (event: T) => void {
  return proxy(listen);
}
