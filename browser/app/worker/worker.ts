import { expose, type ProxyMarked, releaseProxy, type Remote } from "comlink";
import { AppError, reason } from "../../../core/error.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { WeightStore } from "../storage/mod.ts";
import { type EngineApi, whyOf } from "../api/mod.ts";

import { check, reachOf } from "./check.ts";
import { Engines } from "./engines.ts";
import { hashOf } from "./file_hash.ts";
import { fetchReceipt } from "./fetch_receipt.ts";
import type { Made } from "./generate.ts";
import { OneAtATime } from "./one_at_a_time.ts";
import { Verifiers } from "./verifiers.ts";
import { readAttestations, readList, readOwnList, sendAttestation } from "./validator.ts";

const engines = new Engines();
const verifiers = new Verifiers();
const runs = new OneAtATime();
/** The last image that was made here: its steps can be opened as long as the page is. */
let made: Made | undefined;

const api: EngineApi = {
  async capabilities() {
    const threads = self.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
    if (!navigator.gpu) {
      return { software: false, threads, gpuProblem: noWebGpu() };
    }
    try {
      const { openGpu } = await import("../../engine/mod.ts");
      const gpu = await openGpu();
      const software = gpu.adapterClass !== "hardware";
      gpu[Symbol.dispose]();
      return { gpu: gpu.name, software, threads };
    } catch (error) {
      return { software: false, threads, gpuProblem: whyOf(reason(error)) };
    }
  },
  fetchReceipt: (link) => told(() => fetchReceipt(link)),
  hashOf: (file) => told(() => hashOf(file)),
  readList: (from) => told(() => readList(from, self.location.href)),
  readOwnList: () => told(() => readOwnList(self.location.href)),
  attestations: (validator, receipt) => told(() => readAttestations(validator, receipt)),
  attest: (validator, signed) => told(() => sendAttestation(validator, signed)),
  reach: (subject) => Promise.resolve(reachOf(subject, made?.id === receiptId(subject.receipt))),
  check: (order, tell) =>
    run(tell, (signal) => {
      const own = made?.id === receiptId(order.receipt) ? made.source : undefined;
      return check(order, { engines, verifiers, own, signal, tell });
    }),
  generate: (order, tell) =>
    run(tell, async (signal) => {
      const { generate } = await import("./generate.ts");
      const own = await generate(order, { engines, signal, tell });
      // One that was cancelled may end later than the next.
      signal.throwIfAborted();
      made = own;
      return own.own;
    }),
  cancel: () => runs.cancel(),
  storedBytes: async () => await (await WeightStore.open()).bytes(),
  clear: () =>
    told(async () => {
      await runs.end();
      made = undefined;
      await (await WeightStore.open()).clear();
    }),
};

/** One after the other; a newer run ends an older one. Its listener is let go of at its end. */
async function run<T, E>(
  tell: (event: E) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await told(() => runs.run(work));
  } finally {
    // What was told before arrives before: it is one channel.
    (tell as Remote<typeof tell & ProxyMarked>)[releaseProxy]();
  }
}

function noWebGpu(): string {
  return self.isSecureContext
    ? "this browser has no WebGPU"
    : "browsers give WebGPU to pages by https, or of this machine, alone";
}

/** Errors cross to the page as their words, named by their code. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const crossing = new Error(reason(error), { cause: error });
    if (error instanceof AppError) crossing.name = error.code;
    throw crossing;
  }
}

expose(api);
