/** What each owner holds of something, until it is given back. */
export class Held {
  readonly #held = new Map<string, number>();

  of(owner: string): number {
    return this.#held.get(owner) ?? 0;
  }

  /** @returns what gives it back, once. */
  take(owner: string, amount = 1): Disposable {
    this.#held.set(owner, this.of(owner) + amount);
    let given = false;
    return {
      [Symbol.dispose]: () => {
        if (given) return;
        given = true;
        const left = this.of(owner) - amount;
        if (left > 0) this.#held.set(owner, left);
        else this.#held.delete(owner);
      },
    };
  }
}
