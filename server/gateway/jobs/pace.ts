/** Of the newest image; the rest is what was known before. */
const NEWEST = 0.2;

/** How long work takes here, learnt from what was made. */
export class Pace {
  #msPerWork: number | undefined;

  learn(work: number, ms: number): void {
    const now = ms / work;
    const known = this.#msPerWork ?? now;
    this.#msPerWork = known + NEWEST * (now - known);
  }

  /** @param atOnce how many are made side by side. @returns milliseconds; undefined while unknown. */
  msFor(work: number, atOnce: number): number | undefined {
    return this.#msPerWork === undefined ? undefined : this.#msPerWork * work / atOnce;
  }
}
