import { RetryLater } from "../http/mod.ts";

/** Seconds after which some may be free. */
const SECONDS = 5;

/** Of calls in work at once: some for each sender, and some for all of them. */
export class Places {
  readonly #ofOne: number;
  readonly #ofAll: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor({ ofOne, ofAll }: { readonly ofOne: number; readonly ofAll: number }) {
    this.#ofOne = ofOne;
    this.#ofAll = ofAll;
  }

  /** To be given back with the answer. @throws RetryLater `rate_limited`. */
  take(sender: string): Disposable {
    const taken = this.#taken.get(sender) ?? 0;
    if (taken >= this.#ofOne || this.#all >= this.#ofAll) {
      const whose = taken >= this.#ofOne ? "you" : "all senders together";
      const message = `Cannot publish: as many pieces as ${whose} may send at once are in work`;
      throw new RetryLater("rate_limited", message, SECONDS);
    }
    this.#taken.set(sender, taken + 1);
    this.#all++;
    return { [Symbol.dispose]: () => this.#give(sender) };
  }

  #give(sender: string): void {
    const left = (this.#taken.get(sender) ?? 1) - 1;
    if (left > 0) this.#taken.set(sender, left);
    else this.#taken.delete(sender);
    this.#all--;
  }
}
