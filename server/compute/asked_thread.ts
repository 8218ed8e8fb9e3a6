import { Worker } from "node:worker_threads";
import { reason } from "../../core/error.ts";

/**
 * Refused questions after which the next gets a fresh thread: the PNG decoder loses stack with each file
 * that it cannot read, and after some 700 of them reads none.
 */
const FRESH_AFTER = 100;

/** The thread is gone, which may be nobody's fault. */
export class ThreadEnded extends Error {}

/**
 * A thread that answers one question at a time, and starts with the first: what takes long must not hold up
 * what answers the network. After a question that it did not answer the next gets a fresh thread. Who
 * asks takes turns.
 */
export class AskedThread<Question, Answer> implements AsyncDisposable {
  readonly #module: URL;
  readonly #maxMs: number;
  readonly #isRefusal: (answer: Answer) => boolean;
  #refusals = 0;
  #worker: Worker | undefined;
  #closed = false;

  /**
   * @param maxMs milliseconds for one answer.
   * @param isRefusal whether an answer says that the question has none.
   */
  constructor(module: URL, maxMs: number, isRefusal: (answer: Answer) => boolean = () => false) {
    this.#module = module;
    this.#maxMs = maxMs;
    this.#isRefusal = isRefusal;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws ThreadEnded; Error for an answer that takes too long. */
  async ask(question: Question): Promise<Answer> {
    if (this.#closed) throw new Error("it was closed");
    const worker = this.#worker ??= new Worker(this.#module);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const late = () => reject(new Error(`it took more than ${this.#maxMs / 1000} s`));
    const timer = setTimeout(late, this.#maxMs);
    worker.once("message", resolve);
    worker.once("error", (error) => reject(new ThreadEnded(reason(error))));
    worker.once("exit", (code) => reject(new ThreadEnded(`its thread ended with code ${code}`)));
    try {
      worker.postMessage(question);
      const answer = await promise;
      if (this.#isRefusal(answer) && ++this.#refusals % FRESH_AFTER === 0) await this.#end();
      return answer;
    } catch (error) {
      await this.#end();
      throw error;
    } finally {
      clearTimeout(timer);
      worker.removeAllListeners();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
