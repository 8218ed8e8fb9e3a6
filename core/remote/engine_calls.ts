import { AppError } from "../error.ts";
import type { EngineAnswer, EngineOrder } from "./messages.ts";

type Payload = Uint8Array<ArrayBuffer>;
/** A message without the number that the calls give it. */
type Unnumbered<T> = T extends unknown ? Omit<T, "job"> : never;
export type Order = Unnumbered<Exclude<EngineOrder, { type: "cancel" }>>;

/** What ends a job well, by what began it. */
interface Answers {
  readonly open: "opened";
  readonly generate: "done";
  readonly predict: "predicted";
  readonly decode: "decoded";
  readonly encode: "encoded";
  readonly close: "closed";
}
export type AnswerTo<T extends keyof Answers> = EngineAnswer & { readonly type: Answers[T] };

export interface CallOptions {
  /** Bytes that belong to the order. */
  readonly payload?: readonly ArrayBufferView[];
  /** What comes before the answer, and the answer. What it throws ends the job. */
  readonly onMessage?: (message: EngineAnswer, payload: Payload) => void;
  /** Cancels the job at the other end, where it then fails with `cancelled`. */
  readonly signal?: AbortSignal;
}

type Send = (order: EngineOrder, payload?: readonly ArrayBufferView[]) => void;

interface Job {
  readonly onMessage: (message: EngineAnswer, payload: Payload) => void;
  readonly resolve: (answer: EngineAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The calls of one channel: numbers the orders, and hands each answer to the call that waits for
 * it. A channel that failed is never repaired: open another.
 */
export class EngineCalls {
  readonly #send: Send;
  readonly #failed: (why: string) => AppError;
  readonly #jobs = new Map<number, Job>();
  #lastJob = 0;
  #failure: Promise<AppError> | undefined;

  /** @param failed the error of a device lost at the other end, in the channel's words. */
  constructor(send: Send, failed: (why: string) => AppError) {
    this.#send = send;
    this.#failed = failed;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Sends an order and waits for its end.
   * @throws AppError with the code that came from the other end, or why the channel failed.
   */
  async call<T extends Order>(
    order: T,
    { payload, onMessage = () => {}, signal }: CallOptions = {},
  ): Promise<AnswerTo<T["type"]>> {
    if (this.#failure) throw await this.#failure;
    const job = ++this.#lastJob;
    const cancel = () => this.#send({ type: "cancel", job });
    const answer = new Promise<EngineAnswer>((resolve, reject) =>
      this.#jobs.set(job, { onMessage, resolve, reject })
    );
    this.#send({ ...order, job } as EngineOrder, payload);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await answer as AnswerTo<T["type"]>;
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#jobs.delete(job);
    }
  }

  /** Abandons the channel: every job in it fails. */
  fail(why: AppError | Promise<AppError>): void {
    if (this.#failure) return;
    this.#failure = Promise.resolve(why);
    void this.#failure.then((error) => {
      for (const { reject } of this.#jobs.values()) reject(error);
    });
  }

  /** Takes what the other end sent. */
  take(message: EngineAnswer, payload: Payload): void {
    if (message.type === "hello") return;
    if (message.type === "lost") {
      return this.fail(this.#failed(message.reason));
    }
    const job = this.#jobs.get(message.job);
    switch (message.type) {
      case "failed":
        return job?.reject(new AppError(message.code, message.message));
      case "opened":
      case "done":
      case "predicted":
      case "decoded":
      case "encoded":
      case "closed":
        this.#pass(message, payload, job);
        return job?.resolve(message);
      default:
        return this.#pass(message, payload, job);
    }
  }

  #pass(message: EngineAnswer & { job: number }, payload: Payload, job: Job | undefined): void {
    try {
      job?.onMessage(message, payload);
    } catch (error) {
      this.#send({ type: "cancel", job: message.job });
      job?.reject(error);
    }
  }
}
