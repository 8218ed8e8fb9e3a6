import {
  receiveTensor,
  type Runtime,
  sendTensor,
  type SentTensor,
  type Session,
  WEB_FILE_BYTES,
} from "../../core/inference/mod.ts";
import { BenchPage } from "./bench_page.ts";

interface OpenedGraph {
  readonly id: number;
  readonly inputs: Session["inputs"];
  readonly outputs: Session["outputs"];
}

export interface ChromeRuntime extends Runtime, AsyncDisposable {
  /** Kernels that were dispatched since the last call of this. */
  takeDispatches(): Promise<number>;
}

/** Single graphs on the WebGPU of a headless Chrome, for comparisons: tensors go over as JSON. */
export async function chromeRuntime(): Promise<ChromeRuntime> {
  const page = await BenchPage.open(undefined, () => {});
  return {
    name: `onnxruntime-web in ${page.software}`,
    backend: { host: "chrome", adapter: page.software },
    imagesPerCall: 1,
    gpu: undefined,
    byPath: false,
    maxFileBytes: WEB_FILE_BYTES,
    open: async (files, graph) => {
      const sent = [page.serve(files), graph].map((value) => JSON.stringify(value));
      return sessionOf(page, await page.call("stepwiseOpenGraph", ...sent) as OpenedGraph);
    },
    takeDispatches: async () => Number(await page.call("stepwiseTakeDispatches")),
    [Symbol.asyncDispose]: () => page[Symbol.asyncDispose](),
  };
}

function sessionOf(page: BenchPage, { id, inputs, outputs }: OpenedGraph): Session {
  return {
    inputs,
    outputs,
    run: async (feeds, fetches) => {
      const sent = Object.entries(feeds).map(([name, tensor]) => [name, sendTensor(tensor)]);
      const call = [id, Object.fromEntries(sent), fetches].map((value) => JSON.stringify(value));
      const results = await page.call("stepwiseRunGraph", ...call) as Record<string, SentTensor>;
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, receiveTensor(tensor)]),
      );
    },
    runInto: () => Promise.reject(new Error("tensors of another process are on no device here")),
    release: async () => void await page.call("stepwiseCloseGraph", String(id)),
  };
}
