import { expose } from "comlink";
import { AppError, reason } from "../../../core/error.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { WeightStore } from "../storage/mod.ts";
import type { EngineApi } from "../api.ts";
import { check } from "./check.ts";
import { Engines } from "./engines.ts";
import { fetchReceipt } from "./fetch_receipt.ts";
import type { Made } from "./generate.ts";

const engines = new Engines();
let running = new AbortController();
/** The last image that was made here: its steps can be opened as long as the page is. */
let made: Made | undefined;

const api: EngineApi = {
  async capabilities() {
    const threads = self.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
    if (!navigator.gpu) {
      return { software: false, threads, gpuProblem: "this browser has no WebGPU" };
    }
    try {
      const { openGpu } = await import("../../engine/mod.ts");
      const gpu = await openGpu();
      const software = gpu.adapterClass !== "hardware";
      gpu[Symbol.dispose]();
      return { gpu: gpu.name, software, threads };
    } catch (error) {
      return { software: false, threads, gpuProblem: reason(error) };
    }
  },
  fetchReceipt: (link) => told(() => fetchReceipt(link)),
  check: (order, tell) =>
    told(() => {
      const own = made?.id === receiptId(order.receipt) ? made.source : undefined;
      return check(order, { engines, own, signal: begin(), tell });
    }),
  generate: (order, tell) =>
    told(async () => {
      const { generate } = await import("./generate.ts");
      made = await generate(order, { engines, signal: begin(), tell });
      return made.own;
    }),
  cancel: () => running.abort(new AppError("cancelled", "Cannot go on: it was cancelled")),
  storedBytes: async () => await (await WeightStore.open()).bytes(),
  clearWeights: async () => await (await WeightStore.open()).clear(),
};

function begin(): AbortSignal {
  running = new AbortController();
  return running.signal;
}

/** Errors cross to the page as their words. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(reason(error), { cause: error });
  }
}

expose(api);
