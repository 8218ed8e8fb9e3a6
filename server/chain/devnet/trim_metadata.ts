/**
 * Writes `runtime.json`, the devnet's runtime: those pallets, items and calls of subtensor that
 * neurons use, under their real names and types. By hand, when the real runtime changes:
 *
 *   deno run -A server/chain/devnet/trim_metadata.ts <metadata of the real chain, V16>
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { Metadata, TypeRegistry } from "@polkadot/types";
import { u8aToHex } from "@polkadot/util";

interface Kept {
  readonly storage: readonly string[];
  readonly calls: readonly string[];
  readonly events: readonly string[];
}

const PALLETS: Readonly<Record<string, Kept>> = {
  System: {
    storage: [
      "Account",
      "BlockHash",
      "Number",
      "ParentHash",
      "Digest",
      "Events",
      "EventCount",
      "LastRuntimeUpgrade",
    ],
    calls: ["remark", "remark_with_event"],
    events: ["ExtrinsicSuccess", "ExtrinsicFailed", "NewAccount", "Remarked"],
  },
  Timestamp: { storage: ["Now"], calls: ["set"], events: [] },
  Balances: {
    storage: ["TotalIssuance"],
    calls: ["transfer_allow_death", "transfer_keep_alive"],
    events: ["Endowed", "Transfer"],
  },
  SubtensorModule: {
    storage: [
      "NetworksAdded",
      "SubnetworkN",
      "Tempo",
      "Keys",
      "Uids",
      "IsNetworkMember",
      "Owner",
      "Axons",
      "Prometheus",
      "ValidatorPermit",
      "Active",
      "LastUpdate",
      "Incentive",
      "StakeWeight",
      "Consensus",
      "Dividends",
      "ValidatorTrust",
      "Emission",
      "Weights",
      "Bonds",
      "BlockAtRegistration",
      "TotalHotkeyAlpha",
      "WeightsVersionKey",
      "WeightsSetRateLimit",
      "MinAllowedWeights",
      "MaxWeightsLimit",
      "MaxAllowedValidators",
      "MaxAllowedUids",
      "CommitRevealWeightsEnabled",
      "CommitRevealWeightsVersion",
      "RevealPeriodEpochs",
      "WeightCommits",
      "TimelockedWeightCommits",
      "LastEpochBlock",
      "PendingEpochAt",
      "SubnetEpochIndex",
      "BlocksSinceLastStep",
      "LastMechansimStepBlock",
      "MechanismCountCurrent",
      "ServingRateLimit",
      "StakeThreshold",
      "ActivityCutoff",
      "Burn",
      "NetworkRegistrationAllowed",
      "MaxRegistrationsPerBlock",
      "RegistrationsThisBlock",
      "SubnetOwner",
      "SubnetOwnerHotkey",
      "ImmunityPeriod",
      "Kappa",
      "TokenSymbol",
      "TotalStake",
      "NetworkRegisteredAt",
    ],
    calls: [
      "set_weights",
      "set_mechanism_weights",
      "commit_weights",
      "reveal_weights",
      "commit_timelocked_weights",
      "commit_timelocked_mechanism_weights",
      "serve_axon",
      "burned_register",
      "add_stake",
      "remove_stake",
    ],
    events: [
      "WeightsSet",
      "AxonServed",
      "NeuronRegistered",
      "WeightsCommitted",
      "WeightsRevealed",
      "TimelockedWeightsCommitted",
      "TimelockedWeightsRevealed",
      "StakeAdded",
      "StakeRemoved",
    ],
  },
  Utility: { storage: [], calls: ["batch_all"], events: ["ItemCompleted", "BatchCompleted"] },
  Commitments: { storage: ["CommitmentOf"], calls: ["set_commitment"], events: ["Commitment"] },
  Drand: {
    storage: ["BeaconConfig", "Pulses", "LastStoredRound", "OldestStoredRound"],
    calls: [],
    events: ["NewPulse"],
  },
};
/** Methods of each runtime API; null for all. */
const APIS: Readonly<Record<string, readonly string[] | null>> = {
  Core: ["version"],
  Metadata: null,
  AccountNonceApi: null,
  TransactionPaymentApi: ["query_info"],
  NeuronInfoRuntimeApi: ["get_neurons_lite", "get_neuron_lite"],
  SubnetInfoRuntimeApi: [
    "get_metagraph",
    "get_selective_metagraph",
    "get_subnet_hyperparams",
    "get_next_epoch_start_block",
  ],
};
const CONSTANTS_OF = ["System", "Timestamp", "Balances"];
const NOTES = { docs: [], deprecationInfo: { notDeprecated: null } };

// deno-lint-ignore no-explicit-any
type Json = any;

function readMetadata(path: string): Json {
  const bytes = readFileSync(path);
  return new Metadata(new TypeRegistry(), u8aToHex(bytes)).asV16.toJSON();
}

/** Keeps these variants of an enum, with their indices. */
function keepVariants(types: Map<number, Json>, id: number, names: readonly string[]): void {
  const { variant } = types.get(id).def;
  const missing = names.filter((name) =>
    !variant.variants.some((each: Json) => each.name === name)
  );
  if (missing.length) throw new Error(`The metadata has no ${missing.join(", ")}`);
  variant.variants = variant.variants.filter(({ name }: Json) => names.includes(name));
}

function trimPallet(types: Map<number, Json>, pallet: Json): Json {
  const { storage, calls, events } = PALLETS[pallet.name];
  if (calls.length) keepVariants(types, pallet.calls.type, calls);
  if (events.length) keepVariants(types, pallet.events.type, events);
  const items = (pallet.storage?.items ?? [])
    .filter(({ name }: Json) => storage.includes(name));
  const part = (kept: boolean, { type }: Json) => kept ? { type, deprecationInfo: {} } : null;
  return {
    name: pallet.name,
    storage: {
      prefix: pallet.storage?.prefix ?? pallet.name,
      items: items.map((item: Json) => ({ ...item, ...NOTES })),
    },
    calls: part(calls.length > 0, pallet.calls ?? {}),
    events: part(events.length > 0, pallet.events ?? {}),
    constants: CONSTANTS_OF.includes(pallet.name)
      ? pallet.constants.map((constant: Json) => ({ ...constant, ...NOTES }))
      : [],
    errors: pallet.errors ? { type: pallet.errors.type, deprecationInfo: {} } : null,
    associatedTypes: [],
    viewFunctions: [],
    index: pallet.index,
    ...NOTES,
  };
}

function trimApi(api: Json): Json {
  const kept = APIS[api.name];
  const methods = api.methods.filter(({ name }: Json) => !kept || kept.includes(name));
  return { ...api, ...NOTES, methods: methods.map((method: Json) => ({ ...method, ...NOTES })) };
}

/** Types that are reached, renumbered as they are. */
class Lookup {
  readonly #types: Map<number, Json>;
  readonly #ids = new Map<number, number>();
  readonly kept: Json[] = [];

  constructor(types: Map<number, Json>) {
    this.#types = types;
  }

  /** Replaces the ids in a field of each object by new ones. */
  renumber(objects: readonly Json[], field: string): void {
    for (const object of objects) {
      if (object?.[field] != null) object[field] = this.#visit(object[field]);
    }
  }

  #visit(old: number): number {
    const known = this.#ids.get(old);
    if (known !== undefined) return known;
    const id = this.kept.length;
    this.#ids.set(old, id);
    const type = { ...this.#types.get(old), docs: [] };
    this.kept.push({ id, type });
    this.renumber(type.params, "type");
    const [[kind, def]] = Object.entries<Json>(type.def);
    for (
      const fields of kind === "composite"
        ? [def.fields]
        : (def.variants ?? []).map((v: Json) => v.fields)
    ) {
      for (const field of fields) field.docs = [];
      this.renumber(fields, "type");
    }
    for (const variant of def.variants ?? []) variant.docs = [];
    if (kind === "tuple") type.def.tuple = def.map((each: number) => this.#visit(each));
    if (["sequence", "array", "compact"].includes(kind)) this.renumber([def], "type");
    return id;
  }
}

function trim(real: Json): Json {
  const types = new Map<number, Json>(real.lookup.types.map((each: Json) => [each.id, each.type]));
  const pallets = real.pallets.filter(({ name }: Json) => name in PALLETS)
    .map((pallet: Json) => trimPallet(types, pallet));
  for (
    const [outer, part] of [["callType", "calls"], ["eventType", "events"], ["errorType", "errors"]]
  ) {
    const names = pallets.filter((pallet: Json) => pallet[part]).map(({ name }: Json) => name);
    keepVariants(types, real.outerEnums[outer], names);
  }
  const apis = real.apis.filter(({ name }: Json) => name in APIS).map(trimApi);
  const lookup = new Lookup(types);
  for (const { storage, calls, events, errors, constants } of pallets) {
    lookup.renumber(storage.items.map(({ type }: Json) => type), "plain");
    const maps = storage.items.map(({ type }: Json) => type.map);
    lookup.renumber(maps, "key");
    lookup.renumber(maps, "value");
    lookup.renumber([calls, events, errors, ...constants], "type");
  }
  for (const { methods } of apis) {
    lookup.renumber(methods, "output");
    lookup.renumber(methods.flatMap(({ inputs }: Json) => inputs), "type");
  }
  for (const field of ["addressType", "callType", "signatureType"]) {
    lookup.renumber([real.extrinsic], field);
  }
  for (const field of ["type", "implicit"]) {
    lookup.renumber(real.extrinsic.transactionExtensions, field);
  }
  for (const field of ["callType", "eventType", "errorType"]) {
    lookup.renumber([real.outerEnums], field);
  }
  const { extrinsic, outerEnums } = real;
  return { lookup: { types: lookup.kept }, pallets, extrinsic, apis, outerEnums, custom: {} };
}

/** A line for each type and each storage item, so that a change can be read. */
function written(runtime: Json): string {
  const lines = (list: readonly Json[]) => list.map((each) => JSON.stringify(each)).join(",\n");
  const pallets = runtime.pallets.map(({ storage, ...rest }: Json) =>
    `{"storage":{"prefix":${JSON.stringify(storage.prefix)},"items":[\n${
      lines(storage.items)
    }\n]},` +
    JSON.stringify(rest).slice(1)
  );
  const { lookup, pallets: _, ...rest } = runtime;
  return `{"lookup":{"types":[\n${lines(lookup.types)}\n]},\n"pallets":[\n${
    pallets.join(",\n")
  }\n],\n` +
    `${JSON.stringify(rest).slice(1)}\n`;
}

const [path] = process.argv.slice(2);
writeFileSync(
  new URL("runtime.json", import.meta.url),
  written(trim(readMetadata(path))),
);
