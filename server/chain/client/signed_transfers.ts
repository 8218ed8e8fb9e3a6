import type { KeyringPair } from "@polkadot/keyring/types";
import type { DispatchError } from "@polkadot/types/interfaces";
import { AppError } from "../../../core/error.ts";
import type { BlockClock } from "./block_clock.ts";
import type { BlockReader, ChainEvent } from "./block_reader.ts";
import type { ChainLink } from "./connection.ts";
import { misread } from "./lost.ts";
import { dispatchRefusal, isNonceRefusal, poolRefusal } from "./refusals.ts";
import { within } from "./within.ts";

/** An account's due. */
export interface Transfer {
  /** SS58. */
  readonly to: string;
  readonly rao: bigint;
}

/** Transfers that are signed and not sent: the same bytes can be taken by one block at most. */
export interface SignedTransfers {
  readonly hex: string;
  /** Of the transaction: by it a block is known to have taken it. */
  readonly hash: string;
  readonly nonce: number;
  /** The signer, SS58. */
  readonly from: string;
  /** Hash of the first block of the chain that it is for. */
  readonly genesis: string;
  /** Blocks that may take it: after the first, until the last. */
  readonly after: number;
  readonly until: number;
}

/** What became of signed transfers, once it cannot change any more. */
export type TransfersOutcome =
  | { readonly state: "paid"; readonly block: number }
  | { readonly state: "refused"; readonly block: number; readonly why: string }
  | { readonly state: "void" };

/** Blocks that may take it. A power of two. */
const ERA_BLOCKS = 64;
const DOING = "transfer TAO";

/**
 * Pays many at once, all or none, in steps that can be repeated after a crash: sign, keep what was
 * signed, send it, and ask the final blocks what became of it.
 */
export class TransferSender {
  readonly #link: ChainLink;
  readonly #clock: BlockClock;
  readonly #blocks: BlockReader;
  readonly #timeoutMs: number;

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

  /** @throws AppError `chain_unreachable`, `chain_invalid` for a chain that has no batches. */
  async sign(transfers: readonly Transfer[], key: KeyringPair): Promise<SignedTransfers> {
    const { api } = this.#link;
    if (!api.tx.utility?.batchAll) {
      throw new AppError("chain_invalid", `Cannot ${DOING}: the chain has no utility.batch_all`);
    }
    const nonce = await this.#nonceAt(await this.#finalized(), key.address);
    const after = this.#clock.block;
    const blockHash = await this.#clock.hashOf(after, DOING);
    const era = api.registry.createType("ExtrinsicEra", { current: after, period: ERA_BLOCKS });
    const calls = transfers.map(({ to, rao }) => api.tx.balances.transferKeepAlive(to, rao));
    const signed = await api.tx.utility.batchAll(calls).signAsync(key, { nonce, era, blockHash });
    const [hex, hash] = [signed.toHex(), signed.hash.toHex()];
    const genesis = api.genesisHash.toHex();
    return { hex, hash, nonce, from: key.address, genesis, after, until: after + ERA_BLOCKS };
  }

  /**
   * Hands the bytes to the node; again is no harm.
   * @throws AppError `chain_unreachable` when the node may have it or not, `chain_refused`.
   */
  async send(signed: SignedTransfers): Promise<void> {
    this.#requireChain(signed);
    try {
      await within(this.#link.send("author_submitExtrinsic", [signed.hex]), this.#timeoutMs, DOING);
    } catch (error) {
      // The node has it already, or a block does: the blocks tell.
      if (isNonceRefusal(error)) return;
      if (error instanceof AppError) throw error;
      const { api } = this.#link;
      const spec = api.runtimeVersion.specVersion.toNumber();
      throw poolRefusal(DOING, error, spec, { chain: api.runtimeChain.toString() });
    }
  }

  /**
   * Waits for the final blocks that may have taken it.
   * @throws AppError `chain_unreachable` when the chain stands still, `chain_invalid` when the node
   * has thrown such old blocks away: only an archive node can tell.
   */
  async outcome(signed: SignedTransfers): Promise<TransfersOutcome> {
    this.#requireChain(signed);
    // Long after, its blocks may be gone; they need not be read while its nonce is unused.
    if (await this.#isUnused(signed)) return { state: "void" };
    for (let block = signed.after + 1; block <= signed.until; block++) {
      await this.#untilFinal(block);
      const found = await this.#findIn(block, signed);
      if (found) return found;
    }
    return { state: "void" };
  }

  /** Whether its era is over, at a final block, and its nonce is still the account's next. */
  async #isUnused({ nonce, from, until }: SignedTransfers): Promise<boolean> {
    const finalized = await this.#finalized();
    return finalized.number > until && await this.#nonceAt(finalized, from) === nonce;
  }

  /** Another chain would say that it never came. */
  #requireChain({ genesis }: SignedTransfers): void {
    const here = this.#link.api.genesisHash.toHex();
    if (genesis === here) return;
    throw new AppError(
      "chain_invalid",
      `Cannot ${DOING}: what is open was signed for the chain ${genesis}, and this is ${here}; connect to ` +
        "that one",
    );
  }

  async #untilFinal(block: number): Promise<void> {
    await this.#clock.reached(block, DOING);
    while ((await this.#finalized()).number < block) {
      await this.#clock.reached(this.#clock.block + 1, DOING);
    }
  }

  async #findIn(block: number, { hash }: SignedTransfers): Promise<TransfersOutcome | undefined> {
    const read = await this.#blocks.read(block, DOING);
    const index = read.extrinsics.findIndex((extrinsic) => extrinsic.hash.toHex() === hash);
    if (index < 0) return undefined;
    const failed = (await this.#blocks.events(read, DOING)).find(({ phase, event }) =>
      phase.isApplyExtrinsic && phase.asApplyExtrinsic.toNumber() === index &&
      event.section === "system" && event.method === "ExtrinsicFailed"
    );
    return failed
      ? { state: "refused", block, why: this.#reasonOf(failed.event) }
      : { state: "paid", block };
  }

  #reasonOf({ data }: ChainEvent): string {
    const place = { chain: this.#link.api.runtimeChain.toString() };
    return dispatchRefusal(DOING, data[0] as DispatchError, place).message;
  }

  async #finalized(): Promise<{ readonly number: number; readonly hash: string }> {
    const { rpc } = this.#link.api;
    try {
      const hash = await within(rpc.chain.getFinalizedHead(), this.#timeoutMs, DOING);
      const header = await within(rpc.chain.getHeader(hash), this.#timeoutMs, DOING);
      return { number: header.number.toNumber(), hash: hash.toHex() };
    } catch (cause) {
      throw misread(DOING, cause);
    }
  }

  async #nonceAt({ hash }: { readonly hash: string }, address: string): Promise<number> {
    try {
      const at = await within(this.#link.api.at(hash), this.#timeoutMs, DOING);
      const account = await within(at.query.system.account(address), this.#timeoutMs, DOING);
      return (account.toJSON() as { readonly nonce: number }).nonce;
    } catch (cause) {
      throw misread(DOING, cause);
    }
  }
}
