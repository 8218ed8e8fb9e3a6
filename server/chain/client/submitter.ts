import type { SubmittableExtrinsic } from "@polkadot/api/types";
import type { KeyringPair } from "@polkadot/keyring/types";
import type { DispatchError } from "@polkadot/types/interfaces";
import { AppError } from "../../../core/error.ts";
import { Mutex } from "../../../core/mutex.ts";
import type { BlockClock } from "./block_clock.ts";
import type { BlockReader, ChainEvent } from "./block_reader.ts";
import type { ChainLink } from "./connection.ts";
import { isLost, misread } from "./lost.ts";
import { dispatchRefusal, isNonceRefusal, isRuntimeRefusal, poolRefusal } from "./refusals.ts";
import type { Place } from "./registering.ts";
import { within } from "./within.ts";

export type Call = SubmittableExtrinsic<"promise">;

/** A call that its block took and that did what it should. */
export interface Inclusion {
  readonly block: number;
  readonly blockHash: string;
  /** Of the transaction. */
  readonly hash: string;
  readonly events: readonly ChainEvent[];
}

/** Those of one key. next: undefined until the chain is asked. */
interface Nonces {
  readonly mutex: Mutex;
  next?: number;
}

/** Blocks after which a transaction that was not taken can never be. A power of two. */
const ERA_BLOCKS = 64;
/** Times that a socket may drop under one transaction. */
const MAX_LOST = 3;
/** Milliseconds within which subscribers are notified of an upgrade. */
const UPGRADE_MS = 3000;

/**
 * Sends signed calls. Each key's nonces are given out one after the other, so calls may be sent at
 * the same time; whether a call was taken is read from the blocks, so a socket that drops in the
 * middle neither loses nor doubles it.
 */
export class Submitter {
  readonly #link: ChainLink;
  readonly #clock: BlockClock;
  readonly #blocks: BlockReader;
  readonly #timeoutMs: number;
  readonly #keys = new Map<string, Nonces>();

  constructor(of: {
    readonly link: ChainLink;
    readonly clock: BlockClock;
    readonly blocks: BlockReader;
    readonly timeoutMs: number;
  }) {
    this.#link = of.link;
    this.#clock = of.clock;
    this.#blocks = of.blocks;
    this.#timeoutMs = of.timeoutMs;
  }

  /**
   * @param build makes the call by the metadata of the moment: a call that was encoded before the
   * runtime was upgraded may be another one after it.
   * @param doing what the user wanted, for errors: "set weights".
   * @throws AppError `chain_refused`, `not_registered` with the runtime's name for it and a remedy,
   * `chain_unreachable` when it cannot be known any more, or was not taken in time, `chain_invalid`
   * for invalid answers.
   */
  async submit(build: () => Call, key: KeyringPair, doing: string): Promise<Inclusion> {
    const nonces = this.#keys.get(key.address) ?? { mutex: new Mutex() };
    this.#keys.set(key.address, nonces);
    try {
      const { hash, from } = await nonces.mutex.run(() => this.#send(nonces, build, key, doing));
      return await this.#follow(hash, from, doing);
    } catch (error) {
      // Its nonce may be free again, and what comes after it would wait for it.
      await nonces.mutex.run(() => Promise.resolve(nonces.next = undefined));
      throw isLost(error) ? misread(doing, error) : error;
    }
  }

  async #send(
    nonces: Nonces,
    build: () => Call,
    key: KeyringPair,
    doing: string,
  ): Promise<{ readonly hash: string; readonly from: number }> {
    for (let tries = 0;; tries++) {
      const nonce = nonces.next ?? await this.#nonceOf(key.address, doing);
      nonces.next = undefined;
      const from = this.#clock.block;
      const spec = this.#spec;
      const signed = await this.#sign(build, key, nonce, from, doing);
      const error = await this.#enter(signed.toHex(), doing);
      if (error === undefined) {
        nonces.next = nonce + 1;
        return { hash: signed.hash.toHex(), from };
      }
      const again = isNonceRefusal(error) ||
        (isRuntimeRefusal(error) && await this.#upgraded(spec));
      if (!again || tries === 1) throw poolRefusal(doing, error, this.#spec, placeOf(this.#link));
    }
  }

  async #nonceOf(address: string, doing: string): Promise<number> {
    const asked = this.#link.send("system_accountNextIndex", [address]);
    const nonce = Number(await within(asked, this.#timeoutMs, doing));
    if (Number.isSafeInteger(nonce) && nonce >= 0) return nonce;
    throw new AppError(
      "chain_invalid",
      `Cannot ${doing}: the chain's nonce of ${address} is not a number`,
    );
  }

  /** The version of the runtime, as far as the client was notified. */
  get #spec(): number {
    return this.#link.api.runtimeVersion.specVersion.toNumber();
  }

  /** Whether the runtime was upgraded, which the client may learn only now. */
  async #upgraded(spec: number): Promise<boolean> {
    const end = performance.now() + UPGRADE_MS;
    while (this.#spec === spec && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return this.#spec !== spec;
  }

  /** Mortal, from the current block on: what became of it is known once the era is over. */
  async #sign(
    build: () => Call,
    key: KeyringPair,
    nonce: number,
    block: number,
    doing: string,
  ): Promise<Call> {
    const { api } = this.#link;
    const blockHash = await this.#clock.hashOf(block, doing);
    const era = api.registry.createType("ExtrinsicEra", { current: block, period: ERA_BLOCKS });
    for (;;) {
      const spec = this.#spec;
      const signed = await api.tx(build()).signAsync(key, { nonce, era, blockHash });
      // Encoded and signed by one and the same runtime.
      if (this.#spec === spec) return signed;
    }
  }

  /**
   * Hands a transaction to the node. When the socket drops it is unknown whether the node has it, so
   * the same bytes are sent again: with the same nonce they can't be taken twice.
   * @returns what the node refused it with, if it did.
   * @throws AppError `chain_unreachable`, `chain_invalid` for another chain.
   */
  async #enter(hex: string, doing: string): Promise<unknown> {
    for (let lost = 0;; lost++) {
      try {
        await within(this.#link.send("author_submitExtrinsic", [hex]), this.#timeoutMs, doing);
        return undefined;
      } catch (error) {
        if (lost > 0 && isNonceRefusal(error)) return undefined;
        if (!isLost(error) && !(error instanceof AppError)) return error;
        if (!isLost(error) || lost === MAX_LOST) throw misread(doing, error);
        await this.#blocks.connected(doing);
      }
    }
  }

  /** Looks for the transaction in each block until its era is over. */
  async #follow(hash: string, from: number, doing: string): Promise<Inclusion> {
    const last = from + ERA_BLOCKS;
    // Once as they come, and once as they stayed: the best blocks may have been replaced by others.
    for (let look = 0; look < 2; look++) {
      for (let block = from + 1; block <= last; block++) {
        const found = await this.#findIn(block, hash, doing);
        if (found) return found;
      }
    }
    throw new AppError(
      "chain_unreachable",
      `Cannot ${doing}: no block took the transaction within ${ERA_BLOCKS} blocks; it is void now`,
    );
  }

  async #findIn(block: number, hash: string, doing: string): Promise<Inclusion | undefined> {
    await this.#clock.reached(block, doing);
    const read = await this.#blocks.read(block, doing);
    const index = read.extrinsics.findIndex((extrinsic) => extrinsic.hash.toHex() === hash);
    if (index < 0) return undefined;
    const own = (await this.#blocks.events(read, doing)).filter(({ phase }) =>
      phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index
    ).map(({ event }) => event);
    throwIfFailed(own, doing, this.#link);
    return { block, blockHash: read.hash, hash, events: own };
  }
}

function throwIfFailed(events: readonly ChainEvent[], doing: string, link: ChainLink): void {
  for (const { section, method, data } of events) {
    if (section === "system" && method === "ExtrinsicFailed") {
      throw dispatchRefusal(doing, data[0] as DispatchError, placeOf(link));
    }
  }
}

function placeOf({ api }: ChainLink): Place {
  return { chain: api.runtimeChain.toString() };
}
