import type { SubmittableExtrinsic } from "@polkadot/api/types";
import type { KeyringPair } from "@polkadot/keyring/types";
import type { DispatchError, EventRecord } from "@polkadot/types/interfaces";
import { AppError, reason } from "../../../core/error.ts";
import { Mutex } from "../../../core/inference/mod.ts";
import type { BlockClock } from "./block_clock.ts";
import type { ChainLink } from "./connection.ts";
import { dispatchRefusal, isNonceRefusal, poolRefusal } from "./refusals.ts";
import { within } from "./within.ts";

export type Call = SubmittableExtrinsic<"promise">;

/** A call that its block took and that did what it should. */
export interface Inclusion {
  readonly block: number;
  readonly blockHash: string;
  /** Of the transaction. */
  readonly hash: string;
  readonly events: readonly EventRecord["event"][];
}

/** Blocks after which a transaction that was not taken can never be. A power of two. */
const ERA_BLOCKS = 64;
/** Times that a socket may drop under one transaction. */
const MOST_LOST = 3;

/**
 * Sends signed calls. Each key's nonces are given out one after the other, so calls may be sent at
 * the same time; whether a call was taken is read from the blocks, so a socket that drops in the
 * middle neither loses nor doubles it.
 */
export class Submitter {
  readonly #link: ChainLink;
  readonly #clock: BlockClock;
  readonly #timeoutMs: number;
  readonly #keys = new Map<string, { readonly mutex: Mutex; next?: number }>();

  constructor(link: ChainLink, clock: BlockClock, timeoutMs: number) {
    this.#link = link;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param doing what the user wanted, for errors: "set weights".
   * @throws AppError `chain_refused`, `not_registered` with the runtime's name for it and a remedy,
   * `chain_unreachable` when it cannot be known any more, or was not taken in time.
   */
  async submit(call: Call, key: KeyringPair, doing: string): Promise<Inclusion> {
    const { hash, from } = await this.#send(call, key, doing);
    return await this.#follow(hash, from, doing);
  }

  #send(
    call: Call,
    key: KeyringPair,
    doing: string,
  ): Promise<{ readonly hash: string; readonly from: number }> {
    const entry = this.#keys.get(key.address) ?? { mutex: new Mutex() };
    this.#keys.set(key.address, entry);
    return entry.mutex.run(async () => {
      for (let tries = 0;; tries++) {
        entry.next ??= await this.#nonceOf(key.address, doing);
        const from = this.#clock.block;
        const signed = await this.#sign(call, key, entry.next, from, doing);
        const error = await this.#enter(signed.toHex(), doing);
        if (error === undefined) {
          entry.next++;
          return { hash: signed.hash.toHex(), from };
        }
        entry.next = undefined;
        if (!isNonceRefusal(error) || tries === 1) {
          throw poolRefusal(doing, error, this.#link.api.runtimeVersion.specVersion.toNumber());
        }
      }
    });
  }

  async #nonceOf(address: string, doing: string): Promise<number> {
    const asked = this.#link.send("system_accountNextIndex", [address]);
    return Number(await within(asked, this.#timeoutMs, doing));
  }

  /** Mortal, and of the block at hand: its fate is known once the era is over. */
  async #sign(
    call: Call,
    key: KeyringPair,
    nonce: number,
    block: number,
    doing: string,
  ): Promise<Call> {
    const { api } = this.#link;
    const blockHash = await this.#clock.hashOf(block, doing);
    const era = api.registry.createType("ExtrinsicEra", { current: block, period: ERA_BLOCKS });
    return await api.tx(call).signAsync(key, { nonce, era, blockHash });
  }

  /**
   * Hands a transaction to the node. When the socket drops nobody knows whether the node has it, so
   * the same bytes are sent again: with the same nonce they can't be taken twice.
   * @returns what the node refused it with, if it did.
   */
  async #enter(hex: string, doing: string): Promise<unknown> {
    for (let lost = 0;; lost++) {
      try {
        await within(this.#link.send("author_submitExtrinsic", [hex]), this.#timeoutMs, doing);
        return undefined;
      } catch (error) {
        if (lost > 0 && isNonceRefusal(error)) return undefined;
        if (!isLost(error) || lost === MOST_LOST) return error;
        await this.#connected(doing);
      }
    }
  }

  /** @throws AppError `chain_unreachable` when the socket does not come back. */
  async #connected(doing: string): Promise<void> {
    const { api } = this.#link;
    if (api.isConnected) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = api.once("connected", () => resolve());
    try {
      await within(promise, this.#timeoutMs, doing);
    } finally {
      end.off("connected", resolve);
    }
  }

  /** Looks for the transaction in each block until its era is over. */
  async #follow(hash: string, from: number, doing: string): Promise<Inclusion> {
    const last = from + ERA_BLOCKS;
    for (let block = from + 1; block <= last; block++) {
      await this.#clock.reached(block, doing);
      const blockHash = await this.#clock.hashOf(block, doing);
      const found = await this.#findIn(blockHash, hash, doing);
      if (found) return this.#outcome(found, { block, blockHash, hash }, doing);
    }
    throw new AppError(
      "chain_unreachable",
      `Cannot ${doing}: no block took the transaction within ${ERA_BLOCKS} blocks; it is void now`,
    );
  }

  /** @returns the events of the transaction, if the block has it. */
  async #findIn(
    blockHash: string,
    hash: string,
    doing: string,
  ): Promise<EventRecord[] | undefined> {
    const { api } = this.#link;
    const { block } = await within(api.rpc.chain.getBlock(blockHash), this.#timeoutMs, doing);
    const index = block.extrinsics.findIndex((extrinsic) => extrinsic.hash.toHex() === hash);
    if (index < 0) return undefined;
    const at = await within(api.at(blockHash), this.#timeoutMs, doing);
    const records = await within(at.query.system.events(), this.#timeoutMs, doing);
    return [...records as unknown as EventRecord[]].filter(({ phase }) =>
      phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index
    );
  }

  #outcome(
    records: readonly EventRecord[],
    of: Omit<Inclusion, "events">,
    doing: string,
  ): Inclusion {
    const { api } = this.#link;
    for (const { event } of records) {
      if (api.events.system.ExtrinsicFailed.is(event)) {
        throw dispatchRefusal(api, doing, event.data[0] as DispatchError);
      }
    }
    return { ...of, events: records.map(({ event }) => event) };
  }
}

/** The socket went away before the node answered: nobody knows whether it has the transaction. */
function isLost(error: unknown): boolean {
  if (error instanceof AppError) return error.code === "chain_unreachable";
  return /disconnected|WebSocket|not connected|No response/i.test(reason(error));
}
