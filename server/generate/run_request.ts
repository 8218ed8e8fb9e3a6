import { encodeImage, type ImageFormat } from "../../core/image/mod.ts";
import type { Generation, ImageEngine, SourceImages } from "../../core/generation/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import type { ModelFacts } from "../../core/model/mod.ts";
import { makeReceipts, RunRecorder, transcriptFile } from "../../core/prover/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { encodeReceipt, type Receipt } from "../../core/transcript/mod.ts";
import type { OutputFile } from "../storage/mod.ts";
import type { Progress } from "../cli/mod.ts";
import type { Outputs } from "./outputs.ts";

/** With what a command's runs are made; all of them have it in common. */
export interface RunContext {
  readonly engine: ImageEngine;
  readonly facts: () => Promise<ModelFacts>;
  readonly format: ImageFormat;
  readonly quality: number | undefined;
  /** Signs receipts, where some are asked for. */
  readonly hotkey: Hotkey | undefined;
  readonly cancelled: AbortSignal;
  readonly progress: Progress;
}

/** A run, and what is to be written of it. */
export interface FinishedRequest {
  readonly generation: Generation;
  /** The images' files. */
  readonly encoded: readonly Uint8Array<ArrayBuffer>[];
  readonly receipts: readonly Receipt[];
  /** Where the receipts go. */
  readonly receiptPaths: readonly string[];
  readonly files: readonly OutputFile[];
  readonly encodeMs: number;
}

/** Makes a request's images, and its transcript and receipts where they are asked for. */
export async function runRequest(
  context: RunContext,
  request: GenerationRequest,
  source: SourceImages | undefined,
  outputs: Outputs,
): Promise<FinishedRequest> {
  const { engine, format, quality, hotkey, cancelled, progress } = context;
  const begun = Date.now();
  const recorder = outputs.transcript || hotkey
    ? new RunRecorder(request, { keep: outputs.transcript !== undefined })
    : undefined;
  const generation = await engine.generate(request, {
    ...{ source, signal: cancelled, onLeaf: recorder?.add },
    onStep: ({ index, steps }) => progress.step("step", index + 1, steps),
  });
  const generated = performance.now();
  const encoded = await Promise.all(
    generation.images.map((image) => encodeImage(image, format, quality)),
  );
  const encodeMs = performance.now() - generated;
  const commitments = recorder?.finish(encoded, generation.plan) ?? [];
  const receipts = hotkey
    ? await makeReceipts({
      ...{ generation, format, quality, files: encoded, commitments },
      ...{ model: await context.facts(), backend: engine.backend },
      times: { started: begun, finished: Date.now() },
    }, hotkey)
    : [];
  const transcript = outputs.transcript === undefined ? [] : [{
    path: outputs.transcript,
    bytes: transcriptFile(generation, recorder?.leaves ?? [], commitments),
  }];
  const files = [
    ...encoded.map((bytes, k) => ({ path: outputs.images[k], bytes })),
    ...transcript,
    ...outputs.receipts.map((path, k) => ({ path, bytes: encodeReceipt(receipts[k]) })),
  ];
  return { generation, encoded, receipts, receiptPaths: outputs.receipts, files, encodeMs };
}
