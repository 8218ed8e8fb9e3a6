import { AppError, reason } from "../../../core/error.ts";
import { formatIp } from "./address.ts";
import type { ChainLink } from "./connection.ts";

/** rao in a TAO, and in a unit of a subnet's alpha. */
const RAO = 1e9;

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
  /** Block of the newest weights. */
  readonly lastUpdate: number;
  /** Shares of 1. */
  readonly incentive: number;
  readonly dividends: number;
  readonly consensus: number;
  /** rao of the last epoch. */
  readonly emission: number;
  readonly registeredAt: number;
}

/** What a subnet demands. */
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
  /** By uid. */
  readonly neurons: readonly Neuron[];
  readonly hyperparameters: SubnetRules;
}

/** One answer of the runtime API, by its own names. */
type Answer = Readonly<Record<string, unknown>>;

/**
 * @throws AppError `invalid_request` for a subnet that is not there, `chain_invalid` when what the
 * chain says is none.
 */
export async function readMetagraph(link: ChainLink, netuid: number): Promise<Metagraph> {
  const call = link.api.call.subnetInfoRuntimeApi?.getMetagraph;
  const metagraph = call
    ? decoded(netuid, await call(netuid))
    : await (await import("./metagraph_storage.ts")).metagraphFromStorage(link, netuid);
  if (metagraph) return metagraph;
  throw new AppError(
    "invalid_request",
    `Cannot read the subnet: netuid ${netuid} does not exist on this chain; look at --netuid`,
  );
}

function decoded(netuid: number, answer: { toJSON(): unknown }): Metagraph | undefined {
  const value = answer.toJSON() as Answer | null;
  if (value === null) return undefined;
  try {
    return metagraphOf(netuid, value);
  } catch (cause) {
    throw new AppError(
      "chain_invalid",
      `Cannot read the subnet: the chain's metagraph is not understood (${reason(cause)})`,
      { cause },
    );
  }
}

function metagraphOf(netuid: number, value: Answer): Metagraph {
  const list = (name: string) => value[name] as readonly unknown[];
  const hotkeys = list("hotkeys").map(String);
  const shares = (name: string, uid: number) => number(list(name)[uid]) / 65535;
  return {
    netuid,
    block: number(value.block),
    neurons: hotkeys.map((hotkey, uid) => ({
      uid,
      hotkey,
      coldkey: String(list("coldkeys")[uid]),
      axon: axonOf(list("axons")[uid] as AxonInfo),
      active: list("active")[uid] === true,
      validatorPermit: list("validatorPermit")[uid] === true,
      stake: number(list("totalStake")[uid]) / RAO,
      lastUpdate: number(list("lastUpdate")[uid]),
      incentive: shares("incentives", uid),
      dividends: shares("dividends", uid),
      consensus: shares("consensus", uid),
      emission: number(list("emission")[uid]),
      registeredAt: number(list("blockAtRegistration")[uid]),
    })),
    hyperparameters: {
      tempo: number(value.tempo),
      minAllowedWeights: number(value.minAllowedWeights),
      maxWeightsLimit: number(value.maxWeightsLimit),
      weightsVersion: number(value.weightsVersion),
      weightsRateLimit: number(value.weightsRateLimit),
      servingRateLimit: number(value.servingRateLimit),
      activityCutoff: number(value.activityCutoff),
      immunityPeriod: number(value.immunityPeriod),
      commitRevealEnabled: value.commitRevealWeightsEnabled === true,
      commitRevealPeriod: number(value.commitRevealPeriod),
    },
  };
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

/** undefined for a neuron that serves nothing. */
export function axonOf(info: AxonInfo | null | undefined): Axon | undefined {
  if (!info || number(info.port) === 0) return undefined;
  const type = number(info.ipType) === 6 ? 6 : 4;
  return {
    ip: formatIp({ ip: BigInt(info.ip as string | number), type }),
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
