import { hexToU8a, u8aToHex } from "@polkadot/util";
import { nonceOf } from "./calls.ts";
import { hyperparametersOf, metagraphOf, neuronsLiteOf, nextEpochOf } from "./metagraph.ts";
import type { Runtime } from "./runtime.ts";
import type { StateView } from "./state.ts";

/** The chain after a block. */
export interface Moment {
  readonly block: number;
  readonly runtime: Runtime;
  readonly state: StateView;
}

/** Fields that a selective metagraph is asked for by number, as far as the devnet has them. */
const SELECTIVE: Readonly<Record<number, string>> = {
  0: "netuid",
  1: "name",
  2: "symbol",
  7: "block",
  8: "tempo",
  9: "lastStep",
  10: "blocksSinceLastStep",
  24: "minAllowedWeights",
  25: "maxWeightsLimit",
  26: "weightsVersion",
  27: "weightsRateLimit",
  28: "activityCutoff",
  29: "maxValidators",
  30: "numUids",
  31: "maxUids",
  32: "burn",
  36: "immunityPeriod",
  45: "servingRateLimit",
  46: "commitRevealWeightsEnabled",
  47: "commitRevealPeriod",
  52: "hotkeys",
  53: "coldkeys",
  55: "axons",
  56: "active",
  57: "validatorPermit",
  59: "lastUpdate",
  60: "emission",
  61: "dividends",
  62: "incentives",
  63: "consensus",
  66: "blockAtRegistration",
  67: "alphaStake",
  68: "taoStake",
  69: "totalStake",
};

type Method = (moment: Moment, input: Uint8Array) => unknown;

const METHODS: Readonly<Record<string, Method>> = {
  Core_version: ({ runtime }) => runtime.version.toU8a(),
  Metadata_metadata: ({ runtime }) => u8aToHex(runtime.metadata),
  Metadata_metadata_versions: () => [16],
  Metadata_metadata_at_version: ({ runtime }, input) =>
    u32(input) === 16 ? u8aToHex(runtime.metadata) : undefined,
  AccountNonceApi_account_nonce: ({ state, runtime }, input) =>
    nonceOf(state, runtime.registry.createType("AccountId", input).toString()),
  TransactionPaymentApi_query_info: () => ({
    weight: { refTime: 1_000_000, proofSize: 0 },
    class: "Normal",
    partialFee: 0,
  }),
  NeuronInfoRuntimeApi_get_neurons_lite: ({ state }, input) => neuronsLiteOf(state, u16(input)),
  NeuronInfoRuntimeApi_get_neuron_lite: ({ state }, input) =>
    neuronsLiteOf(state, u16(input))[u16(input.subarray(2))],
  SubnetInfoRuntimeApi_get_metagraph: ({ state, block }, input) =>
    metagraphOf(state, u16(input), block),
  SubnetInfoRuntimeApi_get_selective_metagraph: (moment, input) => selective(moment, input),
  SubnetInfoRuntimeApi_get_subnet_hyperparams: ({ state }, input) =>
    hyperparametersOf(state, u16(input)),
  SubnetInfoRuntimeApi_get_next_epoch_start_block: ({ state, block }, input) =>
    nextEpochOf(state, u16(input), block),
};

/**
 * `state_call`.
 * @returns SCALE in hex; undefined when the runtime has no such method.
 */
export function callRuntime(moment: Moment, name: string, input: string): string | undefined {
  const type = moment.runtime.apiOutput(name);
  if (!type || !Object.hasOwn(METHODS, name)) return undefined;
  const value = METHODS[name](moment, hexToU8a(input));
  if (name.startsWith("Metadata_metadata") && typeof value === "string") {
    return opaque(moment, type, value);
  }
  return u8aToHex(moment.runtime.registry.createType(type, value).toU8a());
}

/** Metadata as bytes with their length, in an option where the method gives one. */
function opaque({ runtime }: Moment, type: string, metadata: string): string {
  const bytes = runtime.registry.createType("Bytes", metadata).toU8a();
  return u8aToHex(
    /^Option/.test(type) || type !== runtime.apiOutput("Metadata_metadata")
      ? Uint8Array.from([1, ...bytes])
      : bytes,
  );
}

function selective({ state, block, runtime }: Moment, input: Uint8Array): unknown {
  const whole = metagraphOf(state, u16(input), block);
  if (!whole) return undefined;
  const asked = runtime.registry.createType("Vec<u16>", input.subarray(2))
    .toJSON() as number[];
  return Object.fromEntries(
    ["netuid", ...asked.flatMap((index) => SELECTIVE[index] ?? [])].map((
      name,
    ) => [name, whole[name]]),
  );
}

function u16(input: Uint8Array): number {
  return new DataView(input.buffer, input.byteOffset).getUint16(0, true);
}

function u32(input: Uint8Array): number {
  return new DataView(input.buffer, input.byteOffset).getUint32(0, true);
}
