import { u8aToHex } from "@polkadot/util";
import { beaconKey, PERIOD } from "./beacon.ts";
import { credit } from "./calls.ts";
import { addStake, hotkeysOf, registerNeuron, setOfUid, stakeOf } from "./neurons.ts";
import { permitsOf } from "./on_initialize.ts";
import type { State } from "./state.ts";

/** What a subnet is begun with; the chain's own defaults but for tempo and rate limits. */
export interface Hyperparameters {
  /** Blocks from epoch to epoch. */
  readonly tempo: number;
  readonly commitReveal: boolean;
  /** Epochs from a commit to its reveal. */
  readonly revealPeriod: number;
  /** Blocks. */
  readonly weightsRateLimit: number;
  readonly servingRateLimit: number;
  readonly immunityPeriod: number;
  readonly minAllowedWeights: number;
  readonly maxUids: number;
  readonly maxValidators: number;
  readonly weightsVersion: number;
  /** What a subnet pays for, each with weights of its own. */
  readonly mechanisms: number;
  /** rao of alpha that a validator needs. */
  readonly stakeThreshold: bigint;
  /** rao that a registration costs. */
  readonly burn: bigint;
}

export const DEVNET_HYPERPARAMETERS: Hyperparameters = {
  tempo: 20,
  commitReveal: false,
  revealPeriod: 1,
  weightsRateLimit: 5,
  servingRateLimit: 0,
  immunityPeriod: 50,
  minAllowedWeights: 1,
  maxUids: 256,
  maxValidators: 64,
  weightsVersion: 0,
  mechanisms: 1,
  stakeThreshold: 1_000_000_000n,
  burn: 1_000_000_000n,
};

/** A neuron that is there from the first block on. */
export interface GenesisNeuron {
  /** SS58. */
  readonly hotkey: string;
  readonly coldkey: string;
  /** rao of alpha. */
  readonly stake: bigint;
}

export interface Genesis {
  readonly netuid: number;
  readonly hyperparameters: Hyperparameters;
  /** SS58 -> rao. */
  readonly funds: Readonly<Record<string, bigint>>;
  readonly neurons: readonly GenesisNeuron[];
  /** Seconds since 1970, of the beacon's first round. */
  readonly beaconGenesis: number;
}

export function writeGenesis(state: State, genesis: Genesis): void {
  const { netuid, funds, neurons } = genesis;
  for (const [address, rao] of Object.entries(funds)) credit(state, address, rao);
  state.write("balances.totalIssuance", [], Object.values(funds).reduce((a, b) => a + b, 0n));
  writeHyperparameters(state, netuid, genesis.hyperparameters);
  writeBeacon(state, genesis.beaconGenesis);
  for (const { hotkey, coldkey, stake } of neurons) {
    registerNeuron(state, { netuid, hotkey, coldkey, block: 0 });
    addStake(state, netuid, hotkey, stake);
  }
  const stake = hotkeysOf(state, netuid).map((hotkey) => Number(stakeOf(state, netuid, hotkey)));
  for (const [uid, permit] of permitsOf(state, netuid, stake).entries()) {
    setOfUid(state, "validatorPermit", netuid, uid, permit);
  }
}

function writeHyperparameters(state: State, netuid: number, of: Hyperparameters): void {
  const values: Readonly<Record<string, unknown>> = {
    networksAdded: true,
    networkRegistrationAllowed: true,
    tempo: of.tempo,
    commitRevealWeightsEnabled: of.commitReveal,
    revealPeriodEpochs: of.revealPeriod,
    weightsSetRateLimit: of.weightsRateLimit,
    servingRateLimit: of.servingRateLimit,
    immunityPeriod: of.immunityPeriod,
    minAllowedWeights: of.minAllowedWeights,
    maxWeightsLimit: 65535,
    maxAllowedUids: of.maxUids,
    maxAllowedValidators: of.maxValidators,
    weightsVersionKey: of.weightsVersion,
    burn: of.burn,
    mechanismCountCurrent: of.mechanisms,
    kappa: 32767,
    activityCutoff: 5000,
  };
  for (const [item, value] of Object.entries(values)) {
    state.write(`subtensorModule.${item}`, [netuid], value);
  }
  state.write("subtensorModule.stakeThreshold", [], of.stakeThreshold);
}

/** The runtime keeps the beacon's key where a client can read it. */
function writeBeacon(state: State, genesisTime: number): void {
  state.write("drand.beaconConfig", [], {
    publicKey: u8aToHex(beaconKey()),
    period: PERIOD,
    genesisTime,
    hash: `0x${"00".repeat(32)}`,
    groupHash: `0x${"00".repeat(32)}`,
    schemeId: u8aToHex(new TextEncoder().encode("bls-unchained-g1-rfc9380")),
    metadata: { beaconId: u8aToHex(new TextEncoder().encode("devnet")) },
  });
}
