import { AppError, reason } from "../error.ts";
import type { Generation, ImageEngine, SourceImages, StepProgress } from "../generation/mod.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { LoadOptions } from "../inference/mod.ts";
import { fromHalf } from "../half.ts";
import { decodeRequest, type GenerationRequest } from "../request/mod.ts";
import type { EngineAnswer, EngineOrder, ModelDescription } from "./messages.ts";

type Send = (message: EngineAnswer, ...parts: readonly ArrayBufferView[]) => void;
type Payload = Uint8Array<ArrayBuffer>;
type Job<T extends EngineOrder["type"]> = EngineOrder & { readonly type: T };

type OpenEngine = (model: ModelDescription, options: LoadOptions) => Promise<ImageEngine>;

/** Carries out the host's orders, and sends back the results. Owns the engines. */
export class EngineServer {
  readonly #openEngine: OpenEngine;
  readonly #send: Send;
  readonly #engines = new Map<number, ImageEngine>();
  readonly #running = new Map<number, AbortController>();

  constructor(openEngine: OpenEngine, send: Send) {
    this.#openEngine = openEngine;
    this.#send = send;
  }

  /** Never throws: errors are sent. */
  async take(message: EngineOrder, payload: Payload): Promise<void> {
    try {
      await this.#carryOut(message, payload);
    } catch (error) {
      const code = error instanceof AppError ? error.code : "inference_failed";
      this.#send({ type: "failed", job: message.job, code, message: reason(error) });
    }
  }

  async #carryOut(message: EngineOrder, payload: Payload): Promise<void> {
    switch (message.type) {
      case "open":
        return await this.#open(message);
      case "generate":
        return await this.#generate(message, payload);
      case "predict":
        return await this.#predict(message, payload);
      case "decode":
        return await this.#decode(message, payload);
      case "encode":
        return await this.#encode(message, payload);
      case "cancel":
        return this.#running.get(message.job)?.abort();
      case "close":
        return await this.#close(message);
      default:
        return message satisfies never;
    }
  }

  async #open({ job, model }: Job<"open">): Promise<void> {
    const engine = await this.#openEngine(model, {
      onPart: (part) => this.#send({ type: "part", job, part }),
    });
    this.#engines.set(job, engine);
    const { compute, backend, defaults } = engine;
    this.#send({
      ...{ type: "opened", job, engine: job, model: engine.model },
      ...{ compute, backend, defaults },
    });
  }

  async #generate(
    { job, engine, request: input, batchedWith, wants, sources }: Job<"generate">,
    payload: Payload,
  ): Promise<void> {
    const pipeline = this.#engine(engine);
    const request = this.#request(input, pipeline);
    const controller = new AbortController();
    this.#running.set(job, controller);
    try {
      const generation = await pipeline.generate(request, {
        source: sourceImages(request, sources, payload),
        batchedWith: batchedWith.map((other) => this.#request(other, pipeline)),
        signal: controller.signal,
        onLeaf: wants.leaves
          ? ({ kind, index, bits }) => this.#send({ type: "leaf", job, kind, index }, bits)
          : undefined,
        onStep: wants.steps ? (progress) => this.#sendStep(job, progress) : undefined,
      });
      this.#sendGeneration(job, generation);
    } finally {
      this.#running.delete(job);
    }
  }

  async #predict(
    { job, engine, request: input, steps, controls: count, source: sent }: Job<"predict">,
    payload: Payload,
  ): Promise<void> {
    const pipeline = this.#engine(engine);
    const request = this.#request(input, pipeline);
    const ofStates = payload.length - count * imageBytes(request);
    const controls = imagesOf(request, payload.subarray(ofStates));
    const bytes = ofStates / (steps.length + (sent ? 2 : 0));
    const latentAt = (k: number) => new Uint16Array(payload.buffer, k * bytes, bytes / 2);
    const states = steps.map((index, k) => ({ index, bits: latentAt(k) }));
    const [mask, kept] = [0, 1].map((k) => sent && fromHalf(latentAt(steps.length + k)));
    const source = mask && kept ? { mask, kept } : undefined;
    const predicted = await pipeline.predict(request, states, { controls, source });
    this.#send({ type: "predicted", job }, ...predicted);
  }

  async #decode({ job, engine, request }: Job<"decode">, { buffer }: Payload): Promise<void> {
    const pipeline = this.#engine(engine);
    const bits = new Uint16Array(buffer);
    const { width, height, data } = await pipeline.decode(this.#request(request, pipeline), bits);
    this.#send({ type: "decoded", job, width, height }, data);
  }

  async #encode({ job, engine, request: input }: Job<"encode">, payload: Payload): Promise<void> {
    const pipeline = this.#engine(engine);
    const request = this.#request(input, pipeline);
    const [image, mask] = imagesOf(request, payload);
    this.#send({ type: "encoded", job }, await pipeline.encode(request, image, mask));
  }

  #request(input: unknown, { defaults }: ImageEngine): GenerationRequest {
    return decodeRequest(input, { ...defaults, seed: 0n });
  }

  async #close({ job, engine }: Job<"close">): Promise<void> {
    const closed = this.#engine(engine);
    this.#engines.delete(engine);
    await closed[Symbol.asyncDispose]();
    this.#send({ type: "closed", job });
  }

  #engine(id: number): ImageEngine {
    const engine = this.#engines.get(id);
    if (engine) return engine;
    throw new AppError("inference_failed", `Cannot use engine ${id}: it is not open`);
  }

  #sendStep(job: number, { index, steps, timestep, preview }: StepProgress): void {
    const images = preview();
    const previews = images?.map(({ width, height }) => ({ width, height }));
    const parts = images?.map(({ data }) => data) ?? [];
    this.#send({ type: "step", job, index, steps, timestep, previews }, ...parts);
  }

  #sendGeneration(job: number, generation: Generation): void {
    const { plan, latentDims: [channels, height, width], timings, deviceMemory, notices } =
      generation;
    for (const image of generation.images) {
      const { width, height, data } = image;
      this.#send({ type: "image", job, width, height }, data);
    }
    this.#send({
      type: "done",
      job,
      plan,
      latentDims: [channels, height, width],
      timings: { ...timings, networkMs: [...timings.networkMs] },
      deviceMemory,
      notices: [...notices],
    });
  }
}

/** Images of the request's size, one after the other. */
function imagesOf(request: GenerationRequest, payload: Payload): RgbaImage[] {
  const { width, height } = request;
  const bytes = imageBytes(request);
  return Array.from({ length: payload.length / bytes }, (_, k) => {
    const data = new Uint8ClampedArray(payload.slice(k * bytes, (k + 1) * bytes).buffer);
    return { width, height, data };
  });
}

function imageBytes({ width, height }: GenerationRequest): number {
  return 4 * width * height;
}

function sourceImages(
  request: GenerationRequest,
  sources: Job<"generate">["sources"],
  payload: Payload,
): SourceImages | undefined {
  const images = imagesOf(request, payload);
  const named = (name: typeof sources[number]) => images.filter((_, k) => sources[k] === name);
  const [[image], [mask], controls] = [named("image"), named("mask"), named("control")];
  if (images.length === 0) return undefined;
  return { ...(image && { image }), ...(mask && { mask }), controls };
}
