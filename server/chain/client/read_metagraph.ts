import { u8aToHex } from "@polkadot/util";
import { AppError } from "../../../core/error.ts";
import type { Head } from "./block_clock.ts";
import type { ChainLink } from "./connection.ts";
import { decodeWhole } from "./decode.ts";
import { misread } from "./lost.ts";
import { type AxonInfo, axonOf, type Metagraph, number, RAO, READING } from "./metagraph.ts";
import { metagraphFromStorage } from "./metagraph_storage.ts";

/** One answer of the runtime API, by its own names. */
type Answer = Readonly<Record<string, unknown>>;

/** As polkadot makes it of the metadata: its own types leave this out. */
interface RuntimeMethod {
  readonly meta: { readonly type: string };
}

const METHOD = "SubnetInfoRuntimeApi_get_metagraph";

/**
 * One round trip where the runtime has the API, three where it has not.
 * @param head recent: the storage is read there.
 * @throws AppError `invalid_request` for a subnet that is not there, `chain_unreachable`,
 * `chain_invalid` for an invalid answer.
 */
export async function readMetagraph(
  link: ChainLink,
  netuid: number,
  head: Head,
): Promise<Metagraph> {
  let metagraph: Metagraph | undefined;
  try {
    metagraph = await read(link, netuid, head);
  } catch (cause) {
    throw misread(READING, cause);
  }
  if (metagraph) return metagraph;
  throw new AppError(
    "invalid_request",
    `Cannot ${READING}: netuid ${netuid} does not exist on this chain; check --netuid`,
  );
}

async function read(link: ChainLink, netuid: number, head: Head): Promise<Metagraph | undefined> {
  const { api: { call, registry }, send } = link;
  const method = call.subnetInfoRuntimeApi?.getMetagraph as unknown as RuntimeMethod | undefined;
  if (!method) return await metagraphFromStorage(link, netuid, head);
  const input = u8aToHex(registry.createType("u16", netuid).toU8a());
  const hex = await send("state_call", [METHOD, input]);
  const answer = decodeWhole(registry, method.meta.type, hex).toJSON() as Answer | null;
  return answer === null ? undefined : metagraphOf(netuid, answer);
}

function metagraphOf(netuid: number, value: Answer): Metagraph {
  const hotkeys = (value.hotkeys as readonly unknown[]).map(String);
  if (number(value.netuid) !== netuid || number(value.numUids) !== hotkeys.length) {
    throw new TypeError(`it is of subnet ${value.netuid} and has ${hotkeys.length} neurons`);
  }
  const list = (name: string) => {
    const values = value[name] as readonly unknown[];
    if (values.length === hotkeys.length) return values;
    throw new TypeError(`${name} has ${values.length} entries for ${hotkeys.length} neurons`);
  };
  const shares = (name: string, uid: number) => number(list(name)[uid]) / 65535;
  return {
    netuid,
    block: number(value.block),
    lastEpochBlock: number(value.block) - number(value.blocksSinceLastStep),
    ownerHotkey: String(value.ownerHotkey),
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
