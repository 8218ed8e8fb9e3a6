import type { EventRecord, SignedBlock } from "@polkadot/types/interfaces";
import { AppError } from "../../../core/error.ts";
import type { BlockClock } from "./block_clock.ts";
import type { ChainLink } from "./connection.ts";
import { isLost, misread } from "./lost.ts";
import { within } from "./within.ts";

export type ChainEvent = EventRecord["event"];

export interface ReadBlock {
  readonly number: number;
  readonly hash: string;
  readonly extrinsics: SignedBlock["block"]["extrinsics"];
}

/** Times that a read is tried, and milliseconds between. */
const MAX_TRIES = 4;
const PAUSE_MS = 500;

/** Of each kind, the newest. */
const MAX_KEPT = 4;

/**
 * Reads blocks, again when the socket drops or the answer is invalid. Many may wait for the same block:
 * it is read once, and once more if another one takes its place.
 */
export class BlockReader {
  readonly #link: ChainLink;
  readonly #clock: BlockClock;
  readonly #timeoutMs: number;
  readonly #blocks = new Map<number, Promise<ReadBlock>>();
  readonly #events = new Map<string, Promise<readonly EventRecord[]>>();

  constructor(link: ChainLink, clock: BlockClock, timeoutMs: number) {
    this.#link = link;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    // The best block may be replaced, and all after it.
    clock.onBlock((number) => {
      for (const known of this.#blocks.keys()) if (known >= number) this.#blocks.delete(known);
    });
  }

  /** @throws AppError `chain_unreachable`, `chain_invalid`. */
  read(number: number, doing: string): Promise<ReadBlock> {
    return kept(this.#blocks, number, () => this.#read(number, doing));
  }

  /** All of a block. @throws AppError `chain_unreachable`, `chain_invalid`. */
  events(block: ReadBlock, doing: string): Promise<readonly EventRecord[]> {
    return kept(this.#events, block.hash, () => this.#readEvents(block, doing));
  }

  #read(number: number, doing: string): Promise<ReadBlock> {
    return this.#again(doing, async () => {
      const hash = await this.#clock.hashOf(number, doing);
      const asked = this.#link.api.rpc.chain.getBlock(hash);
      const { block } = await within(asked, this.#timeoutMs, doing);
      // What is no block decodes to an empty one.
      if (block.header.hash.toHex() !== hash) throw new TypeError(`block ${number} is another one`);
      return { number, hash, extrinsics: block.extrinsics };
    });
  }

  #readEvents(
    { number, hash, extrinsics }: ReadBlock,
    doing: string,
  ): Promise<readonly EventRecord[]> {
    return this.#again(doing, async () => {
      const at = await within(this.#link.api.at(hash), this.#timeoutMs, doing);
      const answer = await within(at.query.system.events(), this.#timeoutMs, doing);
      const records = [...answer as unknown as EventRecord[]];
      if (extrinsics.every((_, k) => records.some((each) => isVerdict(each, k)))) return records;
      throw new TypeError(`block ${number} does not say what became of its transactions`);
    });
  }

  /** @throws AppError `chain_unreachable` when the socket does not come back. */
  async connected(doing: string): Promise<void> {
    const { api } = this.#link;
    if (api.isConnected) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const onConnected = () => resolve();
    api.once("connected", onConnected);
    try {
      await within(promise, this.#timeoutMs, doing);
    } finally {
      api.off("connected", onConnected);
    }
  }

  async #again<T>(doing: string, read: () => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        return await read();
      } catch (error) {
        if (tries === MAX_TRIES || !mayPass(error)) throw misread(doing, error);
      }
      await this.connected(doing);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** Blocks that are read or being read; none that failed. */
function kept<K, V>(map: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = map.get(key);
  if (known) return known;
  const made = make();
  map.set(key, made);
  made.catch(() => map.delete(key));
  for (const oldest of map.keys()) {
    if (map.size <= MAX_KEPT) break;
    map.delete(oldest);
  }
  return made;
}

function mayPass(error: unknown): boolean {
  return !(error instanceof AppError) || isLost(error);
}

/** Whether an event says that a transaction succeeded, or that it failed. */
function isVerdict({ phase, event }: EventRecord, index: number): boolean {
  return phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index &&
    event.section === "system" && /^Extrinsic(Success|Failed)$/.test(event.method);
}
