import { AppError, reason } from "../../../core/error.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import type { Runtime } from "../../../core/inference/mod.ts";
import { type ComputeChoice, type InputBlobs, whyOf } from "../api/mod.ts";

import { type TabModel, weightsOf } from "./catalogue.ts";
import { withLoras } from "./loras.ts";

/** The device that a model runs on. */
export interface Opened {
  readonly engine: ImageEngine;
  /** For people, with what happened so far. */
  readonly compute: string;
}

/** The run that an engine is opened for: it may be cancelled, and receives progress. */
export interface OpeningRun {
  readonly signal: AbortSignal;
  readonly emit: (detail: string) => void;
  /** That requests may use with it. */
  readonly loras?: InputBlobs;
}

/** Files of fewer bytes are here before one has read their name. */
const SEEN = 100_000;
/** What comes after the last weights: megabytes as well, which it fetches without progress. */
const ORT = "onnxruntime";

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Engines by model and device; the libraries are fetched with the first. */
export class Engines {
  readonly #opened = new Map<string, Promise<Opened>>();

  /** @throws AppError `host_unavailable` when the device is not available, `cancelled`. */
  open(model: TabModel, choice: ComputeChoice, run: OpeningRun): Promise<Opened> {
    const { loras = {} } = run;
    const key = [weightsOf(model), ...Object.keys(loras), choice].join(" ");
    const known = this.#opened.get(key);
    if (known) {
      return known.catch(() => {
        // It was cancelled with the run that began it, which is not this one.
        run.signal.throwIfAborted();
        return this.open(model, choice, run);
      });
    }
    model.files.download = {
      signal: run.signal,
      onBytes: (path, got, of) => {
        if (of > SEEN) {
          run.emit(
            got < of
              ? `${path}: ${megabytes(got)} of ${megabytes(of)} MB`
              : `fetching and starting ${ORT}`,
          );
        }
      },
    };
    const opening = openEngine(model, choice, loras);
    this.#opened.set(key, opening);
    opening.catch(() => this.#opened.delete(key)).finally(() => {
      model.files.release();
      // A lost device is replaced in later runs, with the same files.
      model.files.download = {};
    });
    return opening;
  }
}

async function openEngine(
  model: TabModel,
  choice: ComputeChoice,
  loras: InputBlobs,
): Promise<Opened> {
  // With the first check that needs it: half of this script is what generates.
  const { Pipeline, RecoveringEngine } = await loaded(
    "what computes",
    () => import("../../../core/generation/mod.ts"),
  );
  const files = await withLoras(model.files, loras);
  let why = "";
  if (choice !== "cpu") {
    try {
      let devices = 0;
      const engine = await RecoveringEngine.start(async () => {
        devices++;
        return await Pipeline.open(files, await gpuRuntime(choice));
      });
      return {
        engine,
        get compute() {
          return devices > 1 ? `${engine.compute}; a lost device was replaced` : engine.compute;
        },
      };
    } catch (error) {
      if (choice === "gpu" || !(error instanceof AppError) || error.code !== "host_unavailable") {
        throw error;
      }
      why = `; no GPU: ${whyOf(reason(error))}`;
    }
  }
  const runtime = await loaded(
    ORT,
    async () => (await import("../../engine/mod.ts")).wasmRuntime(),
  );
  const engine = await Pipeline.open(files, runtime);
  return { engine, compute: `${engine.compute}${why}` };
}

async function gpuRuntime(choice: ComputeChoice): Promise<Runtime> {
  const { browserRuntime, openGpu } = await import("../../engine/mod.ts");
  const gpu = await openGpu();
  if (choice === "auto" && gpu.adapterClass !== "hardware") {
    throw new AppError("host_unavailable", `${gpu.name} is software, slower than the CPU`);
  }
  return await loaded(ORT, () => browserRuntime(gpu));
}

/** Explains a library whose script does not load: the browser names only a file of ours. */
async function loaded<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      "download_failed",
      `Cannot load ${what}: it did not come from this page's server; reload the page to try again`,
      { cause },
    );
  }
}
