import type { StorageEntryBase } from "@polkadot/api/types";
import { u8aToHex } from "@polkadot/util";
import type { Head } from "./block_clock.ts";
import type { ChainLink } from "./connection.ts";
import { decodeWhole, storageItem } from "./decode.ts";
import {
  type AxonInfo,
  axonOf,
  type Metagraph,
  type Neuron,
  number,
  RAO,
  READING,
} from "./metagraph.ts";

type Entry = StorageEntryBase<"promise", (...args: unknown[]) => never>;
type Question = readonly [entry: Entry, keys: readonly unknown[]];

const RULES = [
  "tempo",
  "minAllowedWeights",
  "maxWeightsLimit",
  "weightsVersionKey",
  "weightsSetRateLimit",
  "servingRateLimit",
  "activityCutoff",
  "immunityPeriod",
  "commitRevealWeightsEnabled",
  "revealPeriodEpochs",
] as const;
const COLUMNS = [
  "active",
  "validatorPermit",
  "lastUpdate",
  "incentive",
  "dividends",
  "consensus",
  "emission",
] as const;
const OWNER = "subnetOwnerHotkey";
const SINCE_EPOCH = "blocksSinceLastStep";

/**
 * For runtimes without `get_metagraph`: three round trips, all at one block. The oldest of them (spec
 * 218) have stake that is the same on every subnet, and no owner's hotkey.
 */
export async function metagraphFromStorage(
  link: ChainLink,
  netuid: number,
  { number: block, hash }: Head,
): Promise<Metagraph | undefined> {
  const ask = (questions: readonly Question[]) => query(link, hash, questions);
  const has = (name: string) => link.api.query.subtensorModule[name] !== undefined;
  const item = (name: string) =>
    storageItem(link.api.query, "subtensorModule", name, READING) as unknown as Entry;
  const stakeOf = (hotkey: string): Question =>
    has("totalHotkeyAlpha") || !has("totalHotkeyStake")
      ? [item("totalHotkeyAlpha"), [hotkey, netuid]]
      : [item("totalHotkeyStake"), [hotkey]];
  const names = [...RULES, ...COLUMNS, SINCE_EPOCH, ...[OWNER].filter(has)];
  const [exists, n, ...rest] = await ask([
    [item("networksAdded"), [netuid]],
    [item("subnetworkN"), [netuid]],
    ...names.map((name): Question => [item(name), [netuid]]),
  ]);
  if (exists !== true) return undefined;
  const values = Object.fromEntries(names.map((name, k) => [name, rest[k]]));
  const uids = Array.from({ length: number(n) }, (_, uid) => uid);
  const hotkeys = (await ask(uids.flatMap((uid): Question[] => [
    [item("keys"), [netuid, uid]],
    [item("blockAtRegistration"), [netuid, uid]],
  ]))).map(String);
  const of = await ask(uids.flatMap((uid): Question[] => [
    [item("owner"), [hotkeys[2 * uid]]],
    [item("axons"), [netuid, hotkeys[2 * uid]]],
    stakeOf(hotkeys[2 * uid]),
  ]));
  const column = (name: string, uid: number) => (values[name] as readonly unknown[])[uid];
  return {
    netuid,
    block,
    lastEpochBlock: block - number(values[SINCE_EPOCH]),
    ownerHotkey: values[OWNER] === undefined ? undefined : String(values[OWNER]),
    neurons: uids.map((uid): Neuron => ({
      uid,
      hotkey: hotkeys[2 * uid],
      registeredAt: number(hotkeys[2 * uid + 1]),
      coldkey: String(of[3 * uid]),
      axon: axonOf(of[3 * uid + 1] as AxonInfo | null),
      stake: number(of[3 * uid + 2]) / RAO,
      active: column("active", uid) === true,
      validatorPermit: column("validatorPermit", uid) === true,
      lastUpdate: number(column("lastUpdate", uid)),
      incentive: number(column("incentive", uid)) / 65535,
      dividends: number(column("dividends", uid)) / 65535,
      consensus: number(column("consensus", uid)) / 65535,
      emission: number(column("emission", uid)),
    })),
    hyperparameters: {
      tempo: number(values.tempo),
      minAllowedWeights: number(values.minAllowedWeights),
      maxWeightsLimit: number(values.maxWeightsLimit),
      weightsVersion: number(values.weightsVersionKey),
      weightsRateLimit: number(values.weightsSetRateLimit),
      servingRateLimit: number(values.servingRateLimit),
      activityCutoff: number(values.activityCutoff),
      immunityPeriod: number(values.immunityPeriod),
      commitRevealEnabled: values.commitRevealWeightsEnabled === true,
      commitRevealPeriod: number(values.revealPeriodEpochs),
    },
  };
}

interface StorageChanges {
  /** Key and value in hex. */
  readonly changes: readonly (readonly [string, string | null])[];
}

/** Many items in one round trip, as JSON; what is not set has its default. */
async function query(
  { api, send }: ChainLink,
  hash: string,
  questions: readonly Question[],
): Promise<unknown[]> {
  if (questions.length === 0) return [];
  const keys = questions.map(([entry, parts]) => entry.key(...parts));
  const [answer] = await send("state_queryStorageAt", [keys, hash]) as readonly StorageChanges[];
  const values = new Map(answer.changes);
  return questions.map(([{ creator }], k) => {
    const { meta } = creator;
    const type = api.registry.createLookupType(
      meta.type.isPlain ? meta.type.asPlain : meta.type.asMap.value,
    );
    const bytes = values.get(keys[k]) ?? null;
    if (bytes === null && meta.modifier.isOptional) return null;
    // As bytes: polkadot reads hexadecimal as a big-endian number.
    return decodeWhole(api.registry, type, bytes ?? u8aToHex(meta.fallback.toU8a(true))).toJSON();
  });
}
