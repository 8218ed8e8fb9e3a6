import type { Extrinsic } from "@polkadot/types/interfaces";
import { blake2AsHex } from "@polkadot/util-crypto";
import { PoolRefusal } from "./refusal.ts";

/** What becomes of a transaction, as `author_extrinsicUpdate` reports it. */
export type TransactionStatus =
  | "ready"
  | "future"
  | "dropped"
  | "invalid"
  | { readonly inBlock: string }
  | { readonly finalized: string };

export interface Pooled {
  readonly hash: string;
  readonly hex: string;
  readonly extrinsic: Extrinsic;
  /** SS58. */
  readonly signer: string;
  readonly nonce: number;
  /** The last block that its era lets take it. */
  readonly until: number;
  onStatus(status: TransactionStatus): void;
}

const MAX = 8192;

/** Transactions that wait for a block, by signer and nonce. */
export class Pool {
  readonly #bySigner = new Map<string, Map<number, Pooled>>();
  #size = 0;

  /**
   * @param nonce the account's.
   * @throws PoolRefusal for one that is outdated, known, or in another's place.
   */
  add(pooled: Pooled, nonce: number): void {
    if (pooled.nonce < nonce) throw PoolRefusal.invalid("Transaction is outdated");
    if (this.#size >= MAX) throw new PoolRefusal(1016, "Immediately Dropped", "The pool is full");
    const own = this.#bySigner.get(pooled.signer) ?? new Map<number, Pooled>();
    const other = own.get(pooled.nonce);
    if (other?.hash === pooled.hash) {
      throw new PoolRefusal(1013, "Transaction is already imported");
    }
    if (other) throw new PoolRefusal(1014, "Priority is too low", "Another has this nonce");
    own.set(pooled.nonce, pooled);
    this.#bySigner.set(pooled.signer, own);
    this.#size++;
    pooled.onStatus(this.next(pooled.signer, nonce) > pooled.nonce ? "ready" : "future");
  }

  /** The nonce after those that wait without a gap. */
  next(signer: string, nonce: number): number {
    const own = this.#bySigner.get(signer);
    let next = nonce;
    while (own?.has(next)) next++;
    return next;
  }

  /** Takes out what can go into a block, each signer's in the order of nonces. */
  take(block: number, nonceOf: (signer: string) => number, max: number): Pooled[] {
    this.dropIf(({ until }) => until < block);
    const taken: Pooled[] = [];
    for (const [signer, own] of this.#bySigner) {
      for (let nonce = nonceOf(signer); taken.length < max; nonce++) {
        const pooled = own.get(nonce);
        if (!pooled) break;
        own.delete(nonce);
        taken.push(pooled);
      }
      if (own.size === 0) this.#bySigner.delete(signer);
    }
    this.#size -= taken.length;
    return taken;
  }

  /** Takes out what no block can take any more. */
  dropIf(isVoid: (pooled: Pooled) => boolean): void {
    for (const [signer, own] of this.#bySigner) {
      for (const [nonce, pooled] of own) {
        if (!isVoid(pooled)) continue;
        own.delete(nonce);
        this.#size--;
        pooled.onStatus("invalid");
      }
      if (own.size === 0) this.#bySigner.delete(signer);
    }
  }

  get pending(): string[] {
    return [...this.#bySigner.values()].flatMap((own) => [...own.values()].map(({ hex }) => hex));
  }
}

export function hashOf(hex: string): string {
  return blake2AsHex(hex);
}
