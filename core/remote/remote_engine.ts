import { AppError, type ErrorCode, throwIfAborted } from "../error.ts";
import { toHalf } from "../half.ts";
import { encodeRequest, type GenerationRequest } from "../request/mod.ts";
import type {
  GenerateOptions,
  Generation,
  ImageEngine,
  NetworkImages,
  SourceImages,
  StepProgress,
} from "../generation/mod.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { StepState } from "../denoise/mod.ts";
import type { LoadOptions } from "../inference/mod.ts";
import type { AnswerTo, CallOptions, EngineCalls, Order } from "./engine_calls.ts";
import type { EngineAnswer, ModelDescription } from "./messages.ts";

type Opened = AnswerTo<"open">;
type Payload = Uint8Array<ArrayBuffer>;
type MessageOf<T extends EngineAnswer["type"]> = EngineAnswer & { readonly type: T };

/** The other end of a channel, as an engine uses it. */
export interface EngineChannel {
  readonly alive: boolean;
  readonly call: EngineCalls["call"];
  readonly fail: EngineCalls["fail"];
  /** After these the other end gets no other run: its device may be full or lost. */
  readonly discrediting: readonly ErrorCode[];
}

/** A model's files where the other end reads them, until disposed. */
export interface ServedModel extends Disposable {
  readonly model: ModelDescription;
}

/** A model that is open at the other end of a channel: in a driven Chrome, or in a thread. */
export class RemoteEngine implements ImageEngine {
  readonly model: string;
  readonly compute: string;
  readonly backend: Opened["backend"];
  readonly defaults: Opened["defaults"];
  readonly #channel: EngineChannel;
  readonly #served: Disposable;
  readonly #engine: number;

  private constructor(channel: EngineChannel, served: Disposable, opened: Opened) {
    this.model = opened.model;
    this.compute = opened.compute;
    this.backend = opened.backend;
    this.defaults = opened.defaults;
    this.#channel = channel;
    this.#served = served;
    this.#engine = opened.engine;
  }

  static async open(
    channel: EngineChannel,
    served: ServedModel,
    { onPart }: LoadOptions,
  ): Promise<RemoteEngine> {
    try {
      const opened = await channel.call({ type: "open", model: served.model }, {
        onMessage: (message) => message.type === "part" && onPart?.(message.part),
      });
      return new RemoteEngine(channel, served, opened);
    } catch (error) {
      served[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * As {@link ImageEngine.generate}. Previews are made and sent with every step, if steps are asked
   * for at all.
   * @throws AppError also `host_failed`, when the other end has ended.
   */
  async generate(request: GenerationRequest, options: GenerateOptions = {}): Promise<Generation> {
    throwIfAborted(options.signal, "generate");
    const images: RgbaImage[] = [];
    const { batchedWith = [], source } = options;
    const inputs = sourceInputs(source);
    const sources = inputs.map(({ name }) => name);
    const wants = { leaves: options.onLeaf !== undefined, steps: options.onStep !== undefined };
    const { plan, latentDims, timings, deviceMemory, notices } = await this.#call(
      {
        type: "generate",
        ...this.#order(request),
        batchedWith: batchedWith.map(encodeRequest),
        wants,
        sources,
      },
      {
        signal: options.signal,
        payload: inputs.map(({ image }) => image.data),
        onMessage: (message, payload) => dispatch(message, payload, options, images),
      },
    );
    return { request, plan, latentDims, images, timings, deviceMemory, notices };
  }

  async predict(
    request: GenerationRequest,
    states: readonly StepState[],
    { controls = [], source: { mask, kept } = {} }: NetworkImages = {},
  ): Promise<Uint16Array<ArrayBuffer>[]> {
    let predicted = new Uint16Array();
    const steps = states.map(({ index }) => index);
    const source = mask && kept ? [toHalf(mask.slice()), toHalf(kept.slice())] : [];
    await this.#call(
      {
        ...{ type: "predict", ...this.#order(request), steps },
        ...{ controls: controls.length, source: source.length > 0 },
      },
      {
        payload: [
          ...states.map(({ bits }) => bits),
          ...source,
          ...controls.map(({ data }) => data),
        ],
        onMessage: (_, { buffer }) => predicted = new Uint16Array(buffer),
      },
    );
    const length = predicted.length / states.length;
    return states.map((_, k) => predicted.slice(k * length, (k + 1) * length));
  }

  async decode(request: GenerationRequest, bits: Uint16Array): Promise<RgbaImage> {
    let data = new Uint8ClampedArray();
    const { width, height } = await this.#call({ type: "decode", ...this.#order(request) }, {
      payload: [bits],
      onMessage: (_, { buffer }) => data = new Uint8ClampedArray(buffer),
    });
    return { width, height, data };
  }

  async encode(
    request: GenerationRequest,
    image: RgbaImage,
    mask?: RgbaImage,
  ): Promise<Uint16Array<ArrayBuffer>> {
    let bits = new Uint16Array();
    await this.#call({ type: "encode", ...this.#order(request) }, {
      payload: [image.data, ...mask ? [mask.data] : []],
      onMessage: (_, { buffer }) => bits = new Uint16Array(buffer),
    });
    return bits;
  }

  #order(request: GenerationRequest) {
    return { engine: this.#engine, request: encodeRequest(request) };
  }

  async #call<T extends Order>(order: T, options: CallOptions): Promise<AnswerTo<T["type"]>> {
    try {
      return await this.#channel.call(order, options);
    } catch (error) {
      if (error instanceof AppError && this.#channel.discrediting.includes(error.code)) {
        this.#channel.fail(error);
      }
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#served[Symbol.dispose]();
    if (!this.#channel.alive) return;
    // A channel that ends meanwhile has freed everything.
    await this.#channel.call({ type: "close", engine: this.#engine }).catch(() => {});
  }
}

/** What goes with a request, in the order in which it is sent. */
function sourceInputs({ image, mask, controls = [] }: SourceImages = {}) {
  return [
    ...(image ? [{ name: "image" as const, image }] : []),
    ...(mask ? [{ name: "mask" as const, image: mask }] : []),
    ...controls.map((each) => ({ name: "control" as const, image: each })),
  ];
}

function dispatch(
  message: EngineAnswer,
  payload: Payload,
  { onLeaf, onStep }: GenerateOptions,
  images: RgbaImage[],
): void {
  if (message.type === "leaf") {
    onLeaf?.({
      kind: message.kind,
      index: message.index,
      bits: new Uint16Array(payload.buffer),
    });
  }
  if (message.type === "step") onStep?.(progressOf(message, payload));
  if (message.type === "image") {
    const { width, height } = message;
    images.push({ width, height, data: new Uint8ClampedArray(payload.buffer) });
  }
}

function progressOf(
  { index, steps, timestep, previews }: MessageOf<"step">,
  payload: Payload,
): StepProgress {
  let offset = 0;
  const images = previews?.map(({ width, height }): RgbaImage => {
    const data = new Uint8ClampedArray(payload.buffer, offset, 4 * width * height);
    offset += data.length;
    return { width, height, data };
  });
  return { index, steps, timestep, preview: () => images };
}
