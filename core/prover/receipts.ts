import { bytesToHex } from "@noble/hashes/utils.js";
import { encodeRequest, type GenerationRequest } from "../request/mod.ts";
import { OWN_CONTROL } from "../model/mod.ts";
import type { Backend } from "../inference/mod.ts";
import type { Generation } from "../generation/mod.ts";
import type { ImageFormat } from "../image/mod.ts";
import {
  type Commitment,
  fileHash,
  MAX_ADAPTER_LETTERS,
  planHash,
  type Receipt,
  RECEIPT_VERSION,
  signReceipt,
} from "../transcript/mod.ts";
import type { Hotkey } from "../keys/mod.ts";

/** A finished run and its commitments. */
interface FinishedRun {
  readonly generation: Pick<Generation, "request" | "plan" | "latentDims">;
  readonly model: Receipt["model"];
  /** What computed it. */
  readonly backend: Backend;
  readonly format: ImageFormat;
  /** That the files were encoded at, where it is not the default. */
  readonly quality?: number;
  /** The encoded images. */
  readonly files: readonly Uint8Array[];
  readonly commitments: readonly Commitment[];
  readonly times: Receipt["times"];
  /** SS58 of the caller, where that was a neuron. */
  readonly validator?: string;
}

/** One signed receipt an image, each of a request for that image alone. */
export function makeReceipts(run: FinishedRun, { address, sign }: Hotkey): Promise<Receipt[]> {
  const { generation: { request, plan, latentDims }, model } = run;
  const { times, validator, backend } = run;
  const common = {
    version: RECEIPT_VERSION,
    model: statedModel(model, request),
    backend: statedBackend(backend),
    plan: planHash(plan, RECEIPT_VERSION),
    steps: plan.rows.length,
    miner: address,
    times,
    ...(validator !== undefined && { validator }),
  };
  return Promise.all(run.files.map((file, k) =>
    signReceipt({
      ...common,
      request: requestOfImage(request, k),
      latent: [...latentDims],
      root: bytesToHex(run.commitments[k].root),
      sketch: run.commitments[k].sketch,
      ...(run.commitments[k].sources && { sources: run.commitments[k].sources }),
      image: imageFacts(file, run),
    }, sign)
  ));
}

/** Some drivers say a lot about themselves. */
function statedBackend({ host, adapter }: Backend): Backend {
  return { host, adapter: adapter.slice(0, MAX_ADAPTER_LETTERS).toWellFormed() };
}

/** The model's own ControlNet is stated where it was used. */
function statedModel(
  { control, ...model }: Receipt["model"],
  request: GenerationRequest,
): Receipt["model"] {
  const used = request.control.some(({ network }) => network === OWN_CONTROL);
  return used ? { ...model, control } : model;
}

function imageFacts(
  file: Uint8Array,
  { format, quality }: Pick<FinishedRun, "format" | "quality">,
): Receipt["image"] {
  return {
    ...{ sha256: fileHash(file), mediaType: `image/${format}`, bytes: file.length },
    ...(quality !== undefined && { quality }),
  };
}

function requestOfImage(request: GenerationRequest, k: number): Receipt["request"] {
  const { width, height, steps } = request;
  const seed = request.seed + BigInt(k);
  const own = encodeRequest({ ...request, seed, batch: 1 });
  return { ...own, width, height, steps, seed: String(seed), batch: 1 };
}
