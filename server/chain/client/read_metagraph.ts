import { AppError, reason } from "../../../core/error.ts";
import type { ChainLink } from "./connection.ts";
import { type AxonInfo, axonOf, type Metagraph, number, RAO } from "./metagraph.ts";
import { metagraphFromStorage } from "./metagraph_storage.ts";

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
    : await metagraphFromStorage(link, netuid);
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
