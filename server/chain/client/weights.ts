import { counted } from "../../../core/counted.ts";
import type { ApiPromise } from "@polkadot/api";
import type { KeyringPair } from "@polkadot/keyring/types";
import { blake2AsHex } from "@polkadot/util-crypto";
import { hexToU8a, u8aConcat, u8aToHex } from "@polkadot/util";
import { AppError } from "../../../core/error.ts";
import { encodeWeights, encryptToRound } from "../timelock/mod.ts";
import type { BlockClock } from "./block_clock.ts";
import type { ChainLink } from "./connection.ts";
import { storageItem } from "./decode.ts";
import { misread } from "./lost.ts";
import { type Metagraph, number } from "./metagraph.ts";
import { registerCommand } from "./registering.ts";
import { type Beacon, type EpochState, firstRevealBlock, revealRound } from "./reveal_round.ts";
import type { Inclusion, Submitter } from "./submitter.ts";
import { within } from "./within.ts";

/** Weights as the chain takes them. */
export interface WeightsToSet {
  readonly uids: readonly number[];
  /** u16. */
  readonly weights: readonly number[];
  readonly versionKey: bigint;
  /** Of a subnet that has more than one; 0, the first, if it is not there. */
  readonly mechanism?: number;
}

/** How weights reached the chain. */
export interface WeightsOutcome extends Inclusion {
  /** `set`: at once. `committed`: the chain reveals them by itself. */
  readonly way: "set" | "committed";
  readonly reveal?: Reveal;
}

/** When the chain reveals a commit. */
export interface Reveal {
  /** Of the subnet's mechanism: `netuid_index`, which the chain's notice names. */
  readonly index: number;
  /** Of drand: whose signature opens the commit. */
  readonly round: bigint;
  /** The first block that may; the commit is void after the last. */
  readonly from: number;
  readonly until: number;
}

/** What is committed to by hash and revealed later. Keep it until then. */
export interface HashCommit extends WeightsToSet {
  readonly hash: string;
  readonly salt: readonly number[];
}

const MAX_COMMIT_BYTES = 5000;
const SALT_WORDS = 8;

/** Sets a subnet's weights in the way that the subnet demands. */
export class WeightsSetter {
  readonly #link: ChainLink;
  readonly #clock: BlockClock;
  readonly #submitter: Submitter;
  readonly #netuid: number;
  readonly #timeoutMs: number;

  constructor(of: {
    readonly link: ChainLink;
    readonly clock: BlockClock;
    readonly submitter: Submitter;
    readonly netuid: number;
    readonly timeoutMs: number;
  }) {
    this.#link = of.link;
    this.#clock = of.clock;
    this.#submitter = of.submitter;
    this.#netuid = of.netuid;
    this.#timeoutMs = of.timeoutMs;
  }

  /**
   * @param metagraph recent: what the chain would refuse silently at a reveal is refused here.
   * @throws AppError `invalid_request`, `not_registered`, or as {@link Submitter.submit}.
   */
  async set(
    weights: WeightsToSet,
    key: KeyringPair,
    metagraph: Metagraph,
  ): Promise<WeightsOutcome> {
    checkWeights(weights, key.address, metagraph, this.#link.api.runtimeChain.toString());
    const { api } = this.#link;
    const { mechanism = 0 } = weights;
    if (mechanism > 0) await this.#requireMechanism(mechanism);
    if (!metagraph.hyperparameters.commitRevealEnabled) {
      const inclusion = await this.#submitter.submit(() => this.#plain(weights), key, DOING);
      return { ...inclusion, way: "set" };
    }
    requireTimelock(api, this.#netuid);
    const { commit, reveal, version } = await this.#seal(weights, key).catch((cause) => {
      throw misread(DOING, cause);
    });
    const { tx } = api;
    const sealed = [u8aToHex(commit), reveal.round, version] as const;
    const call = () =>
      mechanism === 0
        ? tx.subtensorModule.commitTimelockedWeights(this.#netuid, ...sealed)
        : tx.subtensorModule.commitTimelockedMechanismWeights(this.#netuid, mechanism, ...sealed);
    const inclusion = await this.#submitter.submit(call, key, DOING);
    return { ...inclusion, way: "committed", reveal };
  }

  #plain({ uids, weights, versionKey, mechanism = 0 }: WeightsToSet) {
    const { subtensorModule } = this.#link.api.tx;
    return mechanism === 0
      ? subtensorModule.setWeights(this.#netuid, uids, weights, versionKey)
      : subtensorModule.setMechanismWeights(this.#netuid, mechanism, uids, weights, versionKey);
  }

  /** @throws AppError `invalid_request` where the subnet has no such mechanism. */
  async #requireMechanism(mechanism: number): Promise<void> {
    const count = await this.mechanisms();
    if (mechanism < count) return;
    throw new AppError(
      "invalid_request",
      `Cannot ${DOING}: subnet ${this.#netuid} has ${counted(count, "mechanism")}, and mechanism ` +
        `${mechanism} is none of them; its owner adds one, or leave it out`,
    );
  }

  /** How many things the subnet pays for; 1 on runtimes from before there were more. */
  async mechanisms(): Promise<number> {
    const asked = this.#link.api.query.subtensorModule?.mechanismCountCurrent?.(this.#netuid);
    if (!asked) return 1;
    return number((await within(asked, this.#timeoutMs, DOING)).toJSON());
  }

  /** @throws AppError `invalid_request` for another mechanism than the first. */
  hashCommit(weights: WeightsToSet, hotkey: string): HashCommit {
    if ((weights.mechanism ?? 0) !== 0) {
      throw new AppError(
        "invalid_request",
        `Cannot ${DOING}: commits by hash are of mechanism 0 alone; set mechanism ${weights.mechanism} at once`,
      );
    }
    const salt = [...crypto.getRandomValues(new Uint16Array(SALT_WORDS))];
    return { ...weights, salt, hash: this.#hashOf(weights, hotkey, salt) };
  }

  async reveal(commit: HashCommit, key: KeyringPair): Promise<Inclusion> {
    const { uids, weights, salt, versionKey } = commit;
    const call = () =>
      this.#link.api.tx.subtensorModule.revealWeights(
        this.#netuid,
        uids,
        weights,
        salt,
        versionKey,
      );
    return await this.#submitter.submit(call, key, "reveal weights");
  }

  async #seal(
    { uids, weights, versionKey, mechanism = 0 }: WeightsToSet,
    key: KeyringPair,
  ): Promise<{
    readonly commit: Uint8Array;
    readonly reveal: Reveal;
    /** Of the commit's form, as the runtime demands it. */
    readonly version: number;
  }> {
    const [beacon, state] = [await this.#beacon(), await this.#epochState()];
    const version = number((await this.#read("commitRevealWeightsVersion", [])).toJSON());
    const from = firstRevealBlock(state);
    const round = revealRound(state, beacon, {
      now: Date.now() / 1000,
      blockSeconds: this.#clock.blockMs / 1000,
    });
    const payload = encodeWeights({ hotkey: key.publicKey, uids, values: weights, versionKey });
    const commit = encryptToRound(payload, beacon.publicKey, round);
    // A commit that an epoch's block takes counts to the next one, and waits an epoch for its round.
    const index = indexOf(this.#netuid, mechanism);
    const reveal = { index, round, from, until: from + 2 * state.tempo };
    if (commit.length <= MAX_COMMIT_BYTES) return { commit, reveal, version };
    throw new AppError(
      "invalid_request",
      `Cannot ${DOING}: the commit has ${
        counted(commit.length, "byte")
      }, at most ${MAX_COMMIT_BYTES} fit`,
    );
  }

  /** The runtime states whose rounds it opens commits with. */
  async #beacon(): Promise<Beacon> {
    const { api } = this.#link;
    const asked = storageItem(api.query, "drand", "beaconConfig", DOING)();
    const config = (await within(asked, this.#timeoutMs, DOING)).toJSON() as {
      readonly publicKey: string;
      readonly period: number;
      readonly genesisTime: number;
    };
    return { ...config, publicKey: hexToU8a(config.publicKey) };
  }

  /** All at one block. */
  async #epochState(): Promise<EpochState> {
    const { api } = this.#link;
    const head = this.#clock.block;
    const at = await within(
      api.at(await this.#clock.hashOf(head, DOING)),
      this.#timeoutMs,
      DOING,
    );
    const names = [
      "lastEpochBlock",
      "pendingEpochAt",
      "subnetEpochIndex",
      "tempo",
      "blocksSinceLastStep",
      "revealPeriodEpochs",
    ] as const;
    const asked = at.queryMulti(
      names.map((name) => [storageItem(at.query, "subtensorModule", name, DOING), this.#netuid]),
    );
    const values = await within(asked, this.#timeoutMs, DOING);
    const read = Object.fromEntries(names.map((name, k) => [name, number(values[k].toJSON())]));
    return { head, ...read as Omit<EpochState, "head"> };
  }

  #read(item: string, keys: readonly unknown[]) {
    const entry = storageItem(this.#link.api.query, "subtensorModule", item, DOING);
    return within(entry(...keys), this.#timeoutMs, DOING);
  }

  /** blake2_256 over (hotkey, netuid_index, uids, values, salt, version_key). */
  #hashOf(
    { uids, weights, versionKey }: WeightsToSet,
    hotkey: string,
    salt: readonly number[],
  ): string {
    const { registry } = this.#link.api;
    return blake2AsHex(u8aConcat(
      registry.createType("AccountId", hotkey).toU8a(),
      registry.createType("u16", this.#netuid).toU8a(),
      ...[uids, weights, salt].map((list) => registry.createType("Vec<u16>", list).toU8a()),
      registry.createType("u64", versionKey).toU8a(),
    ));
  }
}

const DOING = "set weights";
/** A runtime's `netuid_index`: of what each mechanism of a subnet has its own. */
const MECHANISM_STEP = 4096;

function indexOf(netuid: number, mechanism: number): number {
  return netuid + mechanism * MECHANISM_STEP;
}

/** @throws AppError `chain_invalid` for a runtime from before the commits that drand opens. */
export function requireTimelock(
  { query, tx, runtimeVersion: { specName, specVersion } }: Pick<
    ApiPromise,
    "query" | "tx" | "runtimeVersion"
  >,
  netuid: number,
): void {
  if (query.drand?.beaconConfig && tx.subtensorModule?.commitTimelockedWeights) return;
  throw new AppError(
    "chain_invalid",
    `Cannot ${DOING}: subnet ${netuid} demands commits, and this chain's runtime (${specName} ` +
      `${specVersion}) knows only those by hash, which have to be revealed by hand; Stepwise ` +
      "makes those that drand opens. Update the node, or have the subnet's owner switch " +
      "commit-reveal off (commit_reveal_weights_enabled)",
  );
}

/** The runtime's own checks, with words. @throws AppError `invalid_request`, `not_registered`. */
function checkWeights(
  { uids, weights, versionKey }: WeightsToSet,
  hotkey: string,
  { neurons, hyperparameters, netuid, ownerHotkey }: Metagraph,
  chain: string,
): void {
  const own = neurons.find((neuron) => neuron.hotkey === hotkey);
  if (!own) {
    throw new AppError(
      "not_registered",
      `Cannot ${DOING}: the hotkey ${hotkey} is not registered on subnet ${netuid}; ` +
        `register it: ${registerCommand({ chain, netuid, hotkey })}`,
    );
  }
  const selfOnly = uids.length === 1 && uids[0] === own.uid;
  const least = Math.min(hyperparameters.minAllowedWeights, neurons.length);
  const unknown = uids.find((uid) => !neurons[uid]);
  const problems: readonly (readonly [boolean, string])[] = [
    [uids.length !== weights.length, `${uids.length} uids have ${weights.length} weights`],
    [new Set(uids).size !== uids.length, "a uid is there twice"],
    [unknown !== undefined, `uid ${unknown} is not on the subnet`],
    [
      weights.some((each) => !Number.isInteger(each) || each < 0 || each > 65535),
      "a weight is no u16",
    ],
    [weights.every((each) => each === 0), "no weight is above 0"],
    [!selfOnly && uids.length < least, `${uids.length} neurons have weights, ${least} must`],
    [
      !selfOnly && !own.validatorPermit && hotkey !== ownerHotkey,
      "the hotkey has no validator permit; permits go to those with most stake",
    ],
    [
      versionKey < BigInt(hyperparameters.weightsVersion),
      `version_key is ${versionKey}, the subnet demands ${hyperparameters.weightsVersion}: update`,
    ],
  ];
  const problem = problems.find(([wrong]) => wrong);
  if (problem) throw new AppError("invalid_request", `Cannot ${DOING}: ${problem[1]}`);
}
