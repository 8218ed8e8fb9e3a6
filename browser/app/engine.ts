import { proxy, type Remote, wrap } from "comlink";
import type { EngineApi } from "./api.ts";

const worker = new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module" });

/** The worker that computes; the page itself only shows. */
export const engine: Remote<EngineApi> = wrap<EngineApi>(worker);

/** A callback that the worker may call. */
export function listener<T>(listen: (event: T) => void): (event: T) => void {
  return proxy(listen);
}
