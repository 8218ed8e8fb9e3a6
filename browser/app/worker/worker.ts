import { expose, type ProxyMarked, releaseProxy, type Remote } from "comlink";
import { AppError, reason } from "../../../core/error.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { WeightStore } from "../storage/mod.ts";
import { whyOf, type WorkerApi } from "../api/mod.ts";

import { check, reachOf } from "./check.ts";
import { Engines } from "./engines.ts";
import { fetchReceipt } from "./fetch_receipt.ts";
import { findReceipts, hashesOf } from "./find_receipts.ts";
import type { Made } from "./generate.ts";
import { OneAtATime } from "./one_at_a_time.ts";
import { Verifiers } from "./verifiers.ts";
import { readAttestations, readList, readOwnList, sendAttestation } from "./validator.ts";

const engines = new Engines();
const verifiers = new Verifiers();
const runs = new OneAtATime();
/** The last image that was made here: its steps can be opened as long as the page is. */
let made: Made | undefined;

const api: WorkerApi = {
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
  fetchReceipt: (link) => namingErrors(() => fetchReceipt(link)),
  hashesOf: (file) => namingErrors(() => hashesOf(file)),
  edgesOf: (image) =>
    namingErrors(async () => {
      const { edgesOfFile } = await import("./evidence.ts");
      return await edgesOfFile(image);
    }),
  enlarge: (order) =>
    namingErrors(async () => {
      const { enlarge } = await import("./enlarge.ts");
      return await enlarge(order);
    }),
  findReceipts: (file) => namingErrors(() => findReceipts(file, self.location.href)),
  readList: (from) => namingErrors(() => readList(from, self.location.href)),
  readOwnList: () => namingErrors(() => readOwnList(self.location.href)),
  readOwnServer: () => namingErrors(async () => (await explore()).readOwnServer()),
  readSubnet: (url) => namingErrors(async () => (await explore()).readSubnet(url)),
  readKey: (access) => namingErrors(async () => (await jobs()).readKey(access)),
  submitJob: (...order) => namingErrors(async () => (await jobs()).submitJob(...order)),
  cancelJob: (access, id) => namingErrors(async () => (await jobs()).cancelJob(access, id)),
  async watchJob(access, id, emit) {
    try {
      await namingErrors(async () => {
        const { watchJob } = await import("./job_watch.ts");
        await watchJob(access, id, emit);
      });
    } finally {
      release(emit);
    }
  },
  attestations: (validator, receipt) => namingErrors(() => readAttestations(validator, receipt)),
  attest: (validator, signed) => namingErrors(() => sendAttestation(validator, signed)),
  reach: (subject) => Promise.resolve(reachOf(subject, made?.id === receiptId(subject.receipt))),
  check: (order, emit) =>
    run(emit, (signal) => {
      const own = made?.id === receiptId(order.receipt) ? made.source : undefined;
      return check(order, { engines, verifiers, own, signal, emit });
    }),
  generate: (order, emit) =>
    run(emit, async (signal) => {
      const { generate } = await import("./generate.ts");
      const own = await generate(order, { engines, signal, emit });
      // One that was cancelled may end later than the next.
      signal.throwIfAborted();
      made = own;
      return own.own;
    }),
  cancel: () => runs.cancel(),
  storedBytes: async () => await (await WeightStore.open()).bytes(),
  clear: () =>
    namingErrors(async () => {
      await runs.end();
      made = undefined;
      await (await WeightStore.open()).clear();
    }),
};

/** With the first key. */
function jobs() {
  return import("./jobs.ts");
}

/** With the first visit to that room. */
function explore() {
  return import("./explore.ts");
}

/** One after the other; a newer run ends an older one. Its listener is released at the end. */
async function run<T, E>(
  emit: (event: E) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await namingErrors(() => runs.run(work));
  } finally {
    release(emit);
  }
}

/** Events emitted before this arrive before it: it is one channel. */
function release<E>(emit: (event: E) => void): void {
  (emit as Remote<typeof emit & ProxyMarked>)[releaseProxy]();
}

function noWebGpu(): string {
  return self.isSecureContext
    ? "this browser has no WebGPU"
    : "browsers give WebGPU to pages by https, or of this machine, alone";
}

/** Errors cross to the page as their words, named by their code. */
async function namingErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const crossing = new Error(reason(error), { cause: error });
    if (error instanceof AppError) crossing.name = error.code;
    throw crossing;
  }
}

expose(api);
