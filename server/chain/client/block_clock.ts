import type { Header } from "@polkadot/types/interfaces";
import { AppError } from "../../../core/error.ts";
import type { ChainLink } from "./connection.ts";
import { within } from "./within.ts";

/** A block by which the chain is read. */
export interface Head {
  readonly number: number;
  readonly hash: string;
}

type Listener = (block: number, hash: string) => void;

/** A chain that stands still for so many of its own block times counts as lost. */
const PATIENCE_BLOCKS = 30;

/** The newest block, by subscription, which outlives a dropped socket. */
export class BlockClock implements Disposable {
  readonly #link: ChainLink;
  readonly #timeoutMs: number;
  readonly #listeners = new Set<Listener>();
  readonly #waiting = new Set<(error: AppError) => void>();
  #head: Head;
  /** When the head came, by this machine's monotonic clock. */
  #headAt = performance.now();
  #end: () => void = () => {};

  private constructor(link: ChainLink, timeoutMs: number, header: Header) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
    this.#head = { number: header.number.toNumber(), hash: header.hash.toHex() };
  }

  static async start(link: ChainLink, timeoutMs: number): Promise<BlockClock> {
    const doing = "follow the chain's blocks";
    const header = await within(link.api.rpc.chain.getHeader(), timeoutMs, doing);
    const clock = new BlockClock(link, timeoutMs, header);
    const end = await within(
      link.api.rpc.chain.subscribeNewHeads((head) => clock.#take(head)),
      timeoutMs,
      doing,
    );
    clock.#end = end;
    return clock;
  }

  get head(): Head {
    return this.#head;
  }

  get block(): number {
    return this.#head.number;
  }

  /** Milliseconds since the newest block came. */
  get sinceBlockMs(): number {
    return performance.now() - this.#headAt;
  }

  /** Whether the chain stands still: no block came for many of its own block times. */
  get stale(): boolean {
    return this.sinceBlockMs > Math.max(this.#timeoutMs, PATIENCE_BLOCKS * this.blockMs);
  }

  /** Milliseconds from block to block, by the runtime's constant. */
  get blockMs(): number {
    return 2 * Number(this.#link.api.consts.timestamp.minimumPeriod.toString());
  }

  /** @returns what ends it. */
  onBlock(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * @throws AppError `chain_unreachable` when the chain stands still, `cancelled` when the client is
   * closed.
   */
  async reached(block: number, doing: string): Promise<void> {
    if (this.block >= block) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const end = this.onBlock((number) => number >= block && resolve());
    this.#waiting.add(reject);
    try {
      const missing = Math.max(1, block - this.block);
      const patience = Math.max(this.#timeoutMs, (missing + PATIENCE_BLOCKS) * this.blockMs);
      await within(promise, patience, doing);
    } finally {
      this.#waiting.delete(reject);
      end();
    }
  }

  /** @throws AppError `chain_unreachable`. */
  async hashOf(block: number, doing: string): Promise<string> {
    if (block === this.#head.number) return this.#head.hash;
    const hash = this.#link.api.rpc.chain.getBlockHash(block);
    return (await within(hash, this.#timeoutMs, doing)).toHex();
  }

  [Symbol.dispose](): void {
    this.#end();
    const why = "Cannot follow the chain's blocks: its connection is closed";
    for (const reject of this.#waiting) reject(new AppError("cancelled", why));
  }

  #take(header: Header): void {
    const head = { number: header.number.toNumber(), hash: header.hash.toHex() };
    // A subscription begins with the block that is known.
    if (head.hash === this.#head.hash) return;
    this.#head = head;
    this.#headAt = performance.now();
    for (const listener of this.#listeners) listener(this.#head.number, this.#head.hash);
  }
}
