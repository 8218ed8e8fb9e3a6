import {
  decodeRequest,
  encodeImage,
  type GenerationRequest,
  type ImageEngine,
  type ImageFormat,
  planFor,
  type StepProgress,
} from "../../core/generation/mod.ts";
import { type ModelFiles, readJson } from "../../core/inference/mod.ts";
import type { GenerationCall, ImageAnswer } from "../../core/protocol/mod.ts";
import {
  imageLeaf,
  leavesOfImages,
  type OpeningTarget,
  openStep,
  type Receipt,
  receiptId,
} from "../../core/transcript/mod.ts";
import { type Hotkey, makeReceipts, type ModelFacts, RunRecorder } from "../evidence/mod.ts";
import type { TranscriptStore } from "../storage/mod.ts";
import type { OpeningTokens } from "./opening_token.ts";

export interface GeneratorParts {
  readonly engine: ImageEngine;
  /** The catalogue's for the model, or the engine's. */
  readonly defaults: ImageEngine["defaults"];
  readonly files: ModelFiles;
  readonly facts: ModelFacts;
  /** Signs the receipts. */
  readonly hotkey: Hotkey;
  readonly store: TranscriptStore;
  readonly tokens: OpeningTokens;
}

/** A generation on its way. */
export interface GeneratorOptions {
  /** SS58 of who asked. */
  readonly validator: string;
  readonly signal: AbortSignal;
  readonly onStep: (progress: StepProgress) => void;
}

/** Images made. */
export interface Made {
  readonly images: readonly ImageAnswer[];
  readonly notices: readonly string[];
}

const QUALITY = 92;

/** Makes images, commits to their steps, and opens them. */
export class Generator {
  readonly #parts: GeneratorParts;

  constructor(parts: GeneratorParts) {
    this.#parts = parts;
  }

  /** @throws AppError `invalid_request`, before the request waits for anything. */
  requestOf(call: GenerationCall): GenerationRequest {
    const seed = crypto.getRandomValues(new BigUint64Array(1))[0] >> 8n;
    return decodeRequest(call.request, { ...this.#parts.defaults, seed });
  }

  /** @throws AppError as the engine, or `storage_failed`: nothing of it is kept then. */
  async generate(
    request: GenerationRequest,
    format: ImageFormat,
    { validator, signal, onStep }: GeneratorOptions,
  ): Promise<Made> {
    const { engine, hotkey, facts } = this.#parts;
    const started = Date.now();
    const recorder = new RunRecorder(request, { keep: true });
    const generation = await engine.generate(request, { signal, onStep, onLeaf: recorder.add });
    const files = await Promise.all(
      generation.images.map((image) => encodeImage(image, format, QUALITY)),
    );
    const commitments = recorder.finish(files);
    const receipts = await makeReceipts({
      generation,
      model: facts,
      format,
      files,
      commitments,
      times: { started, finished: Date.now() },
      validator,
    }, hotkey);
    const images = await Promise.all(receipts.map(async (receipt, k): Promise<ImageAnswer> => {
      await this.#keep(receipt, recorder, k, files[k], commitments[k].hashes);
      const id = receiptId(receipt);
      return { id, receipt, token: this.#parts.tokens.of(id) };
    }));
    return { images, notices: generation.notices };
  }

  /** @throws AppError `transcript_not_found`. */
  async receipt(id: string): Promise<Receipt> {
    await using transcript = await this.#parts.store.open(id);
    return transcript.receipt;
  }

  /** @throws AppError `transcript_not_found`, `challenge_invalid`. */
  async open(id: string, target: OpeningTarget): Promise<Uint8Array> {
    await using transcript = await this.#parts.store.open(id);
    const { receipt } = transcript;
    const config = await readJson(this.#parts.files, "scheduler/scheduler_config.json");
    const request = decodeRequest(receipt.request, { ...this.#parts.defaults, seed: 0n });
    const { plan } = planFor(config as Record<string, unknown>, request);
    return await openStep(transcript, receipt, plan, target);
  }

  /** The image's file. @throws AppError `transcript_not_found`. */
  async image(
    id: string,
  ): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly mediaType: string }> {
    await using transcript = await this.#parts.store.open(id);
    const { image, steps } = transcript.receipt;
    return { bytes: await transcript.leaf(imageLeaf(steps)), mediaType: image.mediaType };
  }

  async forget(id: string): Promise<void> {
    await this.#parts.store.remove(id);
  }

  async #keep(
    receipt: Receipt,
    recorder: RunRecorder,
    k: number,
    file: Uint8Array,
    hashes: Parameters<Awaited<ReturnType<TranscriptStore["create"]>>["commit"]>[1],
  ): Promise<void> {
    await using writer = await this.#parts.store.create(receiptId(receipt));
    const batch = Math.max(
      1,
      recorder.leaves[0].bits.length / receipt.latent.reduce((a, b) => a * b, 1),
    );
    for (const leaf of recorder.leaves) {
      const { bits } = leavesOfImages(leaf, batch)[k];
      writer.append(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
    }
    writer.append(file);
    await writer.commit(receipt, hashes);
  }
}
