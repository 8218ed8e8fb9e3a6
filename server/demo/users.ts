import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reason } from "../../core/error.ts";
import { addressOf, PATHS } from "../../core/protocol/mod.ts";

/** What users saw. */
export interface UserTally {
  asked: number;
  readonly images: string[];
  readonly refused: string[];
  /** Of the newest image: where its steps are opened, and by what. */
  newest?: { readonly miner: string; readonly id: string; readonly token: string };
}

interface UsersParts {
  /** Of the validator. */
  readonly url: string;
  readonly key: string;
  readonly folder: string;
  /** Milliseconds from one request to the next. */
  readonly everyMs: number;
}

const PROMPTS = [
  "a golden tau symbol in a night sky with stars",
  "a red tau symbol on a white background",
  "a neon blue tau symbol on a black background",
  "a stone tau symbol in front of mountains",
  "a blue tau symbol on a yellow background",
  "a silver tau symbol in a forest",
];

/** Users who want images, one after the other, until they are stopped; their images are saved. */
export class Users implements AsyncDisposable {
  readonly tally: UserTally = { asked: 0, images: [], refused: [] };
  readonly #parts: UsersParts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(parts: UsersParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const prompt = PROMPTS[this.tally.asked % PROMPTS.length];
      await this.#ask(prompt, String(++this.tally.asked).padStart(3, "0"));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#parts.everyMs);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        }, { once: true });
      });
    }
  }

  async #ask(prompt: string, number: string): Promise<void> {
    const { url, key, folder } = this.#parts;
    try {
      const response = await fetch(addressOf(url, PATHS.generate, {}), {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ request: { prompt } }),
        signal: this.#stop.signal,
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error.message);
      const name = `${number}-${prompt.replaceAll(" ", "-")}.png`;
      await writeFile(join(folder, name), Uint8Array.fromBase64(answer.image));
      await writeFile(
        join(folder, `${number}.receipt.json`),
        JSON.stringify(answer.receipt),
      );
      this.tally.images.push(name);
      this.tally.newest = { miner: answer.miner.url, id: answer.id, token: answer.token };
    } catch (error) {
      if (!this.#stop.signal.aborted) this.tally.refused.push(reason(error));
    }
  }
}
