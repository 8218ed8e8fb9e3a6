import type { Extrinsic, Header } from "@polkadot/types/interfaces";
import { compactToU8a, hexToU8a, u8aConcat, u8aToHex } from "@polkadot/util";
import { blake2AsHex } from "@polkadot/util-crypto";
import { pulseOf, roundAt } from "./beacon.ts";
import { dispatch, nonceOf, partsOf, validate } from "./calls.ts";
import { type Genesis, writeGenesis } from "./genesis.ts";
import { beginBlock } from "./on_initialize.ts";
import { hashOf, Pool, type Pooled, type TransactionStatus } from "./pool.ts";
import { DispatchFailure, PoolRefusal } from "./refusal.ts";
import { Runtime } from "./runtime.ts";
import type { Moment } from "./runtime_api.ts";
import { checkExtrinsic } from "./signature.ts";
import { KEPT_BLOCKS, State } from "./state.ts";
import { type KeptBlock, Store } from "./store.ts";

/** Transactions in one block. */
const MAX_IN_BLOCK = 1000;
const NO_HASH = `0x${"00".repeat(32)}`;

export interface Block extends KeptBlock {
  readonly decoded: Header;
}

/** The devnet's chain: one author, final at once; a restart continues it. */
export class Chain implements Disposable {
  readonly state: State;
  readonly #store: Store;
  readonly #netuid: number;
  readonly #pool = new Pool();
  readonly #blocks = new Map<number, Block>();
  readonly #byHash = new Map<string, Block>();
  readonly #listeners = new Set<(block: Block) => void>();
  readonly #upgradeListeners = new Set<() => void>();
  readonly #blockMs: number;
  /** Each from its block on. */
  readonly #runtimes: { readonly since: number; readonly runtime: Runtime }[];
  readonly #clock: () => number;
  #head: Block;
  readonly genesisHash: string;

  /**
   * @param genesis taken for a chain that is not there yet.
   * @param clock milliseconds since 1970.
   */
  constructor(path: string, blockMs: number, genesis: Genesis, clock: () => number) {
    this.#runtimes = [{ since: 0, runtime: new Runtime(blockMs) }];
    this.#blockMs = blockMs;
    this.#store = new Store(path);
    this.#netuid = genesis.netuid;
    this.#clock = clock;
    const kept = this.#store.blocks();
    const head = kept.at(-1);
    this.state = new State(this.runtime, head?.number ?? 0, this.#store.entries());
    for (const block of kept) this.#remember(block);
    this.#head = head ? this.#remember(head) : this.#begin(genesis);
    this.genesisHash = this.state.raw(this.#hashKey(0)) ?? this.#head.hash;
  }

  get runtime(): Runtime {
    return this.#runtimes[this.#runtimes.length - 1].runtime;
  }

  get head(): Block {
    return this.#head;
  }

  /** A block by number or hash; undefined when it is not kept any more. */
  block(at: number | string): Block | undefined {
    return typeof at === "number" ? this.#blocks.get(at) : this.#byHash.get(at);
  }

  hashAt(number: number): string | undefined {
    return this.#blocks.get(number)?.hash ?? this.state.raw(this.#hashKey(number));
  }

  onBlock(listener: (block: Block) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the runtime API reads after a block. */
  momentAt(block: number): Moment {
    const runtime = this.#runtimes.findLast(({ since }) => since <= block)?.runtime ?? this.runtime;
    return { block, runtime, state: this.state.at(block, runtime) };
  }

  /** Runs the next runtime from now on, as after an upgrade that was voted on. */
  upgrade(): void {
    const runtime = new Runtime(this.#blockMs, this.#runtimes.length);
    this.#runtimes.push({ since: this.#head.number, runtime });
    this.state.upgrade(runtime);
    // Signed for the runtime before.
    this.#pool.dropIf(() => true);
    for (const listener of this.#upgradeListeners) listener();
  }

  onUpgrade(listener: () => void): () => void {
    this.#upgradeListeners.add(listener);
    return () => this.#upgradeListeners.delete(listener);
  }

  nonceOf(signer: string): number {
    return nonceOf(this.state, signer);
  }

  /** With those that wait. */
  nextNonce(signer: string): number {
    return this.#pool.next(signer, this.nonceOf(signer));
  }

  get pending(): string[] {
    return this.#pool.pending;
  }

  /**
   * Takes a transaction.
   * @returns its hash. @throws PoolRefusal as a node's pool refuses.
   */
  submit(hex: string, onStatus: (status: TransactionStatus) => void = () => {}): string {
    const extrinsic = this.#decode(hex);
    const signer = extrinsic.signer.toString();
    const until = checkExtrinsic(this.runtime, extrinsic, this.#signing());
    validate(this.#dispatch(signer, this.#head.number + 1, () => {}), partsOf(extrinsic.method));
    const pooled: Pooled = {
      hash: hashOf(hex),
      hex,
      extrinsic,
      signer,
      nonce: extrinsic.nonce.toNumber(),
      until,
      onStatus,
    };
    this.#pool.add(pooled, this.nonceOf(signer));
    return pooled.hash;
  }

  /** Makes the next block and notifies all listeners, once it is on disk. */
  author(): Block {
    const number = this.#head.number + 1;
    const now = this.#clock();
    this.state.begin(number);
    const inherent = this.runtime.registry.createType(
      "Extrinsic",
      this.#inherent(now),
    ).toHex();
    const taken = this.#pool.take(number, (signer) => this.nonceOf(signer), MAX_IN_BLOCK);
    const records = this.#execute(number, now, taken);
    const extrinsics = [inherent, ...taken.map(({ hex }) => hex)];
    this.state.write("system.number", [], number);
    this.state.write("system.parentHash", [], this.#head.hash);
    this.state.write("system.eventCount", [], records.length);
    const key = this.runtime.key("system.events", []).key;
    this.state.writeRaw(key, u8aToHex(u8aConcat(compactToU8a(records.length), ...records)));
    const block = this.#seal(number, extrinsics);
    for (const pooled of taken) {
      pooled.onStatus({ inBlock: block.hash });
      pooled.onStatus({ finalized: block.hash });
    }
    for (const listener of this.#listeners) listener(block);
    return block;
  }

  [Symbol.dispose](): void {
    this.#store[Symbol.dispose]();
  }

  #begin(genesis: Genesis): Block {
    this.state.begin(0);
    writeGenesis(this.state, genesis);
    this.state.write("timestamp.now", [], this.#clock());
    return this.#seal(0, []);
  }

  /** @returns the block's event records. */
  #execute(number: number, now: number, taken: readonly Pooled[]): Uint8Array[] {
    const records: Uint8Array[] = [];
    const emitIn = (phase: unknown) => (pallet: string, name: string, data: readonly unknown[]) => {
      const encoded = this.runtime.registry.createType("Phase", phase).toU8a();
      records.push(u8aConcat(encoded, this.runtime.event(pallet, name, data), compactToU8a(0)));
    };
    this.#beginBlock(number, now, emitIn({ Initialization: null }));
    emitIn({ ApplyExtrinsic: 0 })("System", "ExtrinsicSuccess", [MANDATORY]);
    for (const [k, { extrinsic, signer }] of taken.entries()) {
      const emit = emitIn({ ApplyExtrinsic: k + 1 });
      this.#bumpNonce(signer);
      const failed = this.#apply(extrinsic, signer, number, records, emit);
      if (failed) emit("System", "ExtrinsicFailed", [failed, NORMAL]);
      else emit("System", "ExtrinsicSuccess", [NORMAL]);
    }
    return records;
  }

  #beginBlock(
    number: number,
    now: number,
    emit: (pallet: string, name: string, data: readonly unknown[]) => void,
  ): void {
    this.state.write("timestamp.now", [], now);
    const beacon = this.state.read("drand.beaconConfig")?.toJSON() as { genesisTime: number };
    const round = roundAt(now / 1000, beacon.genesisTime);
    const last = this.state.big("drand.lastStoredRound");
    if (round > last) this.#storePulse(round, last);
    beginBlock(this.state, this.#netuid, number, emit);
  }

  /** Only the newest is kept: older rounds' signatures can be made at any time. */
  #storePulse(round: bigint, last: bigint): void {
    const { randomness, signature } = pulseOf(round);
    const pulse = { round, randomness: u8aToHex(randomness), signature: u8aToHex(signature) };
    if (last > 0n) this.state.remove("drand.pulses", [last]);
    this.state.write("drand.pulses", [round], pulse);
    this.state.write("drand.lastStoredRound", [], round);
    this.state.write("drand.oldestStoredRound", [], round);
  }

  /** @returns the `DispatchError` of a call that failed: it changed nothing but the nonce. */
  #apply(
    extrinsic: Extrinsic,
    signer: string,
    number: number,
    records: Uint8Array[],
    emit: (pallet: string, name: string, data: readonly unknown[]) => void,
  ): unknown {
    const before = records.length;
    try {
      const call = this.#dispatch(signer, number, emit);
      this.state.attempt(() => dispatch(call, partsOf(extrinsic.method)));
      return undefined;
    } catch (error) {
      records.splice(before);
      return this.#dispatchError(error);
    }
  }

  /** A call that fails unexpectedly does not stop the chain. */
  #dispatchError(error: unknown): unknown {
    if (!(error instanceof DispatchFailure)) {
      console.error(error);
      return { Other: null };
    }
    const { pallet, error: name } = error;
    if (pallet === "Token") return { Token: name };
    return pallet === undefined ? { [name]: null } : this.runtime.moduleError(pallet, name);
  }

  #dispatch(
    who: string,
    block: number,
    emit: (pallet: string, name: string, data: readonly unknown[]) => void,
  ) {
    return { runtime: this.runtime, state: this.state, who, block, emit };
  }

  #bumpNonce(signer: string): void {
    const account = this.state.read("system.account", signer)?.toJSON() as { nonce: number };
    this.state.write("system.account", [signer], { ...account, nonce: account.nonce + 1 });
  }

  #decode(hex: string): Extrinsic {
    try {
      const extrinsic = this.runtime.registry.createType<Extrinsic>("Extrinsic", hexToU8a(hex));
      if (extrinsic.isSigned && extrinsic.toHex() === hex) return extrinsic;
    } catch {
      // Said below, as a node says it.
    }
    throw new PoolRefusal(1002, "Verification Error", "Could not decode a signed transaction");
  }

  #signing() {
    const version = this.runtime.version.toJSON() as {
      specVersion: number;
      transactionVersion: number;
    };
    return {
      genesisHash: this.genesisHash,
      specVersion: version.specVersion,
      transactionVersion: version.transactionVersion,
      block: this.#head.number + 1,
      hashAt: (block: number) => this.hashAt(block),
    };
  }

  /** `Timestamp.set`, unsigned. */
  #inherent(now: number): Uint8Array {
    const { registry } = this.runtime;
    const index = registry.metadata.pallets.find(({ name }) => name.toString() === "Timestamp")
      ?.index;
    const call = u8aConcat([index?.toNumber() ?? 0, 0], compactToU8a(now));
    const body = u8aConcat([4], call);
    return u8aConcat(compactToU8a(body.length), body);
  }

  #seal(number: number, extrinsics: readonly string[]): Block {
    const parentHash = number === 0 ? NO_HASH : this.#head.hash;
    // Plain hashes instead of tries: there are no proofs of the devnet's state.
    const stateRoot = blake2AsHex(u8aConcat(
      hexToU8a(number === 0 ? NO_HASH : this.#head.decoded.stateRoot.toHex()),
      ...[...this.state.changes].flatMap((
        [key, value],
      ) => [hexToU8a(key), hexToU8a(value ?? "0x")]),
    ));
    const header = this.runtime.registry.createType<Header>("Header", {
      parentHash,
      number,
      stateRoot,
      extrinsicsRoot: blake2AsHex(u8aConcat(...extrinsics.map((hex) => hexToU8a(hex)))),
      digest: { logs: [] },
    });
    const hash = header.hash.toHex();
    this.state.write("system.blockHash", [number], hash);
    // As the chain: the first block's stays.
    const old = number - Number(this.runtime.constant("system", "blockHashCount")) - 1;
    if (old > 0) this.state.remove("system.blockHash", [old]);
    const block = { number, hash, header: header.toHex(), extrinsics };
    this.#store.write(block, this.state.changes);
    return this.#head = this.#remember(block);
  }

  #remember(kept: KeptBlock): Block {
    const decoded = this.runtime.registry.createType<Header>("Header", hexToU8a(kept.header));
    const block = { ...kept, decoded };
    this.#blocks.set(block.number, block);
    this.#byHash.set(block.hash, block);
    const old = this.#blocks.get(block.number - KEPT_BLOCKS);
    if (old && old.number > 0) {
      this.#blocks.delete(old.number);
      this.#byHash.delete(old.hash);
    }
    return block;
  }

  #hashKey(number: number): string {
    return this.runtime.key("system.blockHash", [number]).key;
  }
}

const WEIGHT = { refTime: 1_000_000, proofSize: 0 };
const NORMAL = { weight: WEIGHT, class: "Normal", paysFee: "No" };
const MANDATORY = { weight: WEIGHT, class: "Mandatory", paysFee: "Yes" };
