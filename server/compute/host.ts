import { type ImageEngine, Pipeline } from "../../core/generation/mod.ts";
import type { LoadOptions, Runtime } from "../../core/inference/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";

/** What computes: this process, its GPU, or a Chrome that it drives. Disposing it frees all. */
export interface ComputeHost extends AsyncDisposable {
  /** Library and device, for people. */
  readonly name: string;
  /** Why it is this one, in words that fit in brackets. */
  readonly reason: string;
  /**
   * Loads a model. The engine is to be disposed before the host.
   * @throws AppError `model_invalid` naming the file that is missing, damaged or unfit.
   */
  open(files: ModelFiles, options?: LoadOptions): Promise<ImageEngine>;
}

/** A host in this process: pipelines over a runtime. */
export function localHost(runtime: Runtime, reason: string): ComputeHost {
  return {
    name: runtime.name,
    reason,
    open: (files, options) => Pipeline.open(files, runtime, options),
    [Symbol.asyncDispose]: () => Promise.resolve(runtime.gpu?.[Symbol.dispose]()),
  };
}
