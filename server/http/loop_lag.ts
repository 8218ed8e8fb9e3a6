/** Milliseconds between two measurements. */
const EVERY_MS = 250;
/** Milliseconds that a lag is remembered: what came in meanwhile may still wait to be read. */
const REMEMBERED_MS = 10_000;

/** How long what came in had to wait lately, since this process was busy with something else. */
export class LoopLag implements Disposable {
  readonly #clock: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #looked: number;
  #worst = { ms: 0, at: -Infinity };

  /** @param clock milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#looked = clock();
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** Milliseconds, the longest of the last ten seconds. */
  get recent(): number {
    this.#look();
    return this.#clock() - this.#worst.at > REMEMBERED_MS ? 0 : this.#worst.ms;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#clock();
    const ms = Math.max(0, now - this.#looked - EVERY_MS);
    this.#looked = now;
    const old = now - this.#worst.at > REMEMBERED_MS;
    if (old || ms >= this.#worst.ms) this.#worst = { ms, at: now };
  }
}
