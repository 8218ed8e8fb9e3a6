import { AppError, type ErrorCode, throwIfAborted } from "../../core/error.ts";
import { encodeRequest, type GenerationRequest } from "../../core/request/mod.ts";
import type {
  GenerateOptions,
  Generation,
  ImageEngine,
  StepProgress,
} from "../../core/generation/mod.ts";
import type { RgbaImage } from "../../core/image/mod.ts";
import type { StepState } from "../../core/denoise/mod.ts";
import type { LoadOptions } from "../../core/inference/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import type { ChromeMessage } from "../../core/protocol/mod.ts";
import type { ChromeServer } from "./chrome_server.ts";
import type { AnswerTo, CallOptions, ChromeSession, Order } from "./chrome_session.ts";

type Opened = AnswerTo<"open">;
type Payload = Uint8Array<ArrayBuffer>;
type MessageOf<T extends ChromeMessage["type"]> = ChromeMessage & { readonly type: T };

/** After these a Chrome is not trusted with another run: its device may be full or gone. */
const DISCREDITING: readonly ErrorCode[] = ["inference_failed", "gpu_failed", "device_lost"];

/** A model in one driven Chrome. */
export class ChromeEngine implements ImageEngine {
  readonly model: string;
  readonly compute: string;
  readonly defaults: Opened["defaults"];
  readonly #session: ChromeSession;
  readonly #served: Disposable;
  readonly #engine: number;

  private constructor(session: ChromeSession, served: Disposable, opened: Opened) {
    this.model = opened.model;
    this.compute = opened.compute;
    this.defaults = opened.defaults;
    this.#session = session;
    this.#served = served;
    this.#engine = opened.engine;
  }

  static async open(
    session: ChromeSession,
    server: ChromeServer,
    files: ModelFiles,
    { onPart }: LoadOptions,
  ): Promise<ChromeEngine> {
    const served = server.serve(files);
    try {
      const opened = await session.call({ type: "open", model: served.model }, {
        onMessage: (message) => message.type === "part" && onPart?.(message.part),
      });
      return new ChromeEngine(session, served, opened);
    } catch (error) {
      served[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * As {@link ImageEngine.generate}. Previews are made and sent with every step, if steps are asked
   * for at all.
   * @throws AppError also `host_failed`, when Chrome is gone.
   */
  async generate(request: GenerationRequest, options: GenerateOptions = {}): Promise<Generation> {
    throwIfAborted(options.signal, "generate");
    const images: RgbaImage[] = [];
    const { beside = [] } = options;
    const wants = { leaves: options.onLeaf !== undefined, steps: options.onStep !== undefined };
    const { plan, latentDims, timings, deviceMemory, notices } = await this.#call(
      { type: "generate", ...this.#order(request), beside: beside.map(encodeRequest), wants },
      {
        signal: options.signal,
        onMessage: (message, payload) => tell(message, payload, options, images),
      },
    );
    return { request, plan, latentDims, images, timings, deviceMemory, notices };
  }

  async predict(
    request: GenerationRequest,
    states: readonly StepState[],
  ): Promise<Uint16Array<ArrayBuffer>[]> {
    let predicted = new Uint16Array();
    await this.#call(
      { type: "predict", ...this.#order(request), steps: states.map(({ index }) => index) },
      {
        payload: states.map(({ bits }) => bits),
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

  #order(request: GenerationRequest) {
    return { engine: this.#engine, request: encodeRequest(request) };
  }

  async #call<T extends Order>(order: T, options: CallOptions): Promise<AnswerTo<T["type"]>> {
    try {
      return await this.#session.call(order, options);
    } catch (error) {
      if (error instanceof AppError && DISCREDITING.includes(error.code)) this.#session.fail(error);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#served[Symbol.dispose]();
    if (!this.#session.alive) return;
    // A Chrome that ends meanwhile has freed everything.
    await this.#session.call({ type: "close", engine: this.#engine }).catch(() => {});
  }
}

function tell(
  message: ChromeMessage,
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
