import type { ServerResponse } from "node:http";

/** Milliseconds from look to look. */
const LOOK_MS = 1000;

interface Answer {
  readonly response: ServerResponse;
  /** When some of it was taken last, or nothing was there to be taken. */
  moved: number;
}

/**
 * Answers on their way. One of which a client takes nothing for too long is given up: what it holds is
 * memory, a descriptor, and the end of this process.
 */
export class OpenAnswers implements Disposable {
  readonly #answers = new Set<Answer>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #none: (() => void)[] = [];
  #stalledMs: number;

  /** @param stalledMs after which an answer that does not move is given up. */
  constructor(stalledMs: number) {
    this.#stalledMs = stalledMs;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  follow(response: ServerResponse): void {
    const answer: Answer = { response, moved: performance.now() };
    this.#answers.add(answer);
    const moves = () => answer.moved = performance.now();
    response.on("drain", moves);
    response.on("close", () => {
      this.#answers.delete(answer);
      if (this.#answers.size > 0) return;
      for (const resolve of this.#none.splice(0)) resolve();
    });
  }

  /** @param stalledMs from now on. @returns when all are taken or given up. */
  async end(stalledMs: number): Promise<void> {
    this.#stalledMs = stalledMs;
    if (this.#answers.size === 0) return;
    await new Promise<void>((resolve) => this.#none.push(resolve));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    for (const answer of this.#answers) {
      const { response, moved } = answer;
      // What is still being made waits for nobody.
      const waits = response.writableLength > 0 || (response.socket?.writableLength ?? 0) > 0;
      if (!waits) answer.moved = now;
      else if (now - moved > this.#stalledMs) response.destroy();
    }
  }
}
