/** Milliseconds to the second try, which double from then on, and at most. */
const [FIRST, MOST] = [60_000, 3_600_000];

/** When to try again what did not work yet: ever more rarely. In memory: a restart tries all at once. */
export class BackOff {
  readonly #tries = new Map<string, { readonly due: number; readonly wait: number }>();

  /** Whether it is time to try; if so, that counts as one. @param now milliseconds since 1970. */
  isDue(key: string, now: number): boolean {
    const { due, wait } = this.#tries.get(key) ?? { due: now, wait: FIRST };
    if (now < due) return false;
    this.#tries.set(key, { due: now + wait, wait: Math.min(2 * wait, MOST) });
    return true;
  }
}
