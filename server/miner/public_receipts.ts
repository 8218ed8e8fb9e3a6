import type { ImageAnswer } from "../../core/protocol/mod.ts";
import { inputsOf } from "../../core/request/mod.ts";

/** Public receipts that are kept. */
const MAX_SHOWN = 200;

/** What was made last, with the tokens that open it, for as long as it can be opened. */
export class PublicReceipts {
  readonly #lifetimeMs: number;
  readonly #clock: () => number;
  /** The newest last. */
  #made: { readonly image: ImageAnswer; readonly at: number }[] = [];

  constructor(lifetimeMs: number, clock: () => number = Date.now) {
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  add(images: readonly ImageAnswer[]): void {
    const at = this.#clock();
    // The token would give everybody the files that the user sent.
    const shown = images.filter(({ receipt }) => inputsOf(receipt.request).length === 0);
    this.#made = [...this.#made, ...shown.map((image) => ({ image, at }))].slice(-MAX_SHOWN);
  }

  forget(id: string): void {
    this.#made = this.#made.filter(({ image }) => image.id !== id);
  }

  /** The newest first. */
  list(limit: number): ImageAnswer[] {
    const oldest = this.#clock() - this.#lifetimeMs;
    return this.#made.filter(({ at }) => at > oldest).slice(-limit).reverse()
      .map(({ image }) => image);
  }
}
