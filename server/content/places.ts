import { Held, RetryLater } from "../http/mod.ts";

/** Seconds after which some may be free. */
const SECONDS = 5;

/** Of calls in work at once: some for each sender, and some for all of them. */
export class Places {
  readonly #ofOne: number;
  readonly #ofAll: number;
  readonly #taken = new Held();
  #all = 0;

  constructor({ ofOne, ofAll }: { readonly ofOne: number; readonly ofAll: number }) {
    this.#ofOne = ofOne;
    this.#ofAll = ofAll;
  }

  /** To be given back with the answer. @throws RetryLater `rate_limited`. */
  take(sender: string): Disposable {
    const taken = this.#taken.of(sender);
    if (taken >= this.#ofOne || this.#all >= this.#ofAll) {
      const whose = taken >= this.#ofOne ? "you" : "all senders together";
      const message = `Cannot publish: as many pieces as ${whose} may send at once are in work`;
      throw new RetryLater("rate_limited", message, SECONDS);
    }
    const place = new DisposableStack();
    place.use(this.#taken.take(sender));
    this.#all++;
    place.defer(() => this.#all--);
    return place;
  }
}
