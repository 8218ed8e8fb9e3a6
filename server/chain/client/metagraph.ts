import { formatIp } from "./address.ts";

/** rao in a TAO, and in a unit of a subnet's alpha. */
export const RAO = 1e9;

/** What the user wanted, for errors. */
export const READING = "read the subnet";

export interface Axon {
  readonly ip: string;
  readonly port: number;
  readonly version: number;
  readonly protocol: number;
  /** Served in this block. */
  readonly block: number;
}

export interface Neuron {
  readonly uid: number;
  /** SS58. */
  readonly hotkey: string;
  readonly coldkey: string;
  readonly axon: Axon | undefined;
  readonly active: boolean;
  readonly validatorPermit: boolean;
  /** Total stake, as the chain weighs it. */
  readonly stake: number;
  /** Block of the newest weights or commit; of the registration, where there are none. */
  readonly lastUpdate: number;
  /** Shares of 1. */
  readonly incentive: number;
  readonly dividends: number;
  readonly consensus: number;
  /** rao of the last epoch. */
  readonly emission: number;
  readonly registeredAt: number;
}

/** A subnet's hyperparameters. */
export interface SubnetRules {
  /** Blocks from epoch to epoch. */
  readonly tempo: number;
  readonly minAllowedWeights: number;
  /** Of 65535. */
  readonly maxWeightsLimit: number;
  readonly weightsVersion: number;
  /** Blocks. */
  readonly weightsRateLimit: number;
  readonly servingRateLimit: number;
  readonly activityCutoff: number;
  readonly immunityPeriod: number;
  readonly commitRevealEnabled: boolean;
  /** Epochs. */
  readonly commitRevealPeriod: number;
}

/** A subnet at one block. */
export interface Metagraph {
  readonly netuid: number;
  readonly block: number;
  /** Block of the last epoch: incentives, dividends and emissions are of it. */
  readonly lastEpochBlock: number;
  /** By uid. */
  readonly neurons: readonly Neuron[];
  /** Of the subnet's owner, whose weights need no permit; undefined where the runtime knows none. */
  readonly ownerHotkey: string | undefined;
  readonly hyperparameters: SubnetRules;
}

/** As polkadot's JSON has it: large numbers in hex. */
export interface AxonInfo {
  readonly block: unknown;
  readonly version: unknown;
  readonly ip: unknown;
  readonly port: unknown;
  readonly ipType: unknown;
  readonly protocol: unknown;
}

/**
 * undefined for a neuron that serves nothing. The chain takes 0.0.0.0 as well, which is how an axon
 * is taken back: to bittensor it is no address, and to a socket it would be this machine.
 */
export function axonOf(info: AxonInfo | null | undefined): Axon | undefined {
  if (!info) return undefined;
  const ip = BigInt(info.ip as string | number);
  if (ip === 0n || number(info.port) === 0) return undefined;
  return {
    ip: formatIp({ ip, type: number(info.ipType) === 6 ? 6 : 4 }),
    port: number(info.port),
    version: number(info.version),
    protocol: number(info.protocol),
    block: number(info.block),
  };
}

/** @throws TypeError for what is no number, so that nothing becomes NaN unseen. */
export function number(value: unknown): number {
  const result = typeof value === "number" || typeof value === "string" ? Number(value) : NaN;
  if (!Number.isFinite(result)) throw new TypeError(`${String(value)} is no number`);
  return result;
}
