import { join } from "node:path";
import type { ImageEngine } from "../../core/generation/mod.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import { EngineWatch, type NeuronOptions, openEngine, warmUp } from "../neuron/mod.ts";
import { DiskTranscriptStore, type TranscriptStore } from "../transcripts/mod.ts";
import { Generator } from "./generator.ts";
import { OpeningTokens } from "./opening_token.ts";

export interface TranscriptOptions extends Pick<NeuronOptions, "folder" | "log"> {
  readonly maxTranscriptBytes: number;
  /** Called with the id of one that was removed for its age or for room. */
  readonly onEvict?: (id: string) => void;
}

/** What a process keeps of what it made, and the tokens that open it. */
export async function openTranscripts(
  { folder, log, maxTranscriptBytes, onEvict }: TranscriptOptions,
  stack: AsyncDisposableStack,
): Promise<{ readonly tokens: OpeningTokens; readonly store: DiskTranscriptStore }> {
  const tokens = await OpeningTokens.open(folder);
  const store = stack.use(
    await DiskTranscriptStore.open(join(folder, "transcripts"), {
      maxBytes: maxTranscriptBytes,
      maxAgeMs: 1000 * TRANSCRIPT_SECONDS,
      clock: Date.now,
      onEvict: (eviction) => {
        log("evicted", { ...eviction }, eviction.why === "space" ? "warn" : "debug");
        onEvict?.(eviction.id);
      },
    }),
  );
  return { tokens, store };
}

export interface GeneratorOptions extends
  Pick<
    NeuronOptions,
    | "model"
    | "variant"
    | "vae"
    | "configs"
    | "adapters"
    | "controls"
    | "compute"
    | "gpu"
    | "log"
  > {
  readonly wallet: { readonly hotkey: Hotkey };
  readonly tokens: OpeningTokens;
  readonly store: TranscriptStore;
  /** Requests that may wait. */
  readonly queue: number;
  /** Images of one run, of all requests that can run together. */
  readonly batch: number;
  /** Milliseconds from one try of an engine that is lost to the next. */
  readonly watchMs?: number;
  /** Another engine in the place of the model's own: how tests and demonstrations cheat. */
  readonly wrap?: (engine: ImageEngine, files: ModelFiles) => ImageEngine | Promise<ImageEngine>;
}

/** The engine of this process, warm. */
export async function openGenerator(
  options: GeneratorOptions,
  codec: ImageCodec,
  stack: AsyncDisposableStack,
): Promise<Generator> {
  const { wallet: { hotkey }, tokens, store, log, queue, batch } = options;
  const { engine: own, model, ...ofModel } = await openEngine(options, stack);
  const wrapped = await options.wrap?.(own, model.files) ?? own;
  const { engine } = stack.use(new EngineWatch(wrapped, log, options.watchMs));
  await warmUp(engine);
  return new Generator({ ...ofModel, engine, codec, hotkey, store, tokens, queue, batch });
}
