import { nextEpochBlock, scheduleOf } from "./epochs.ts";
import { hotkeysOf, stakeOf } from "./neurons.ts";
import type { StateView } from "./state.ts";

type Fields = Readonly<Record<string, unknown>>;
const NO_AXON = {
  block: 0,
  version: 0,
  ip: 0,
  port: 0,
  ipType: 0,
  protocol: 0,
  placeholder1: 0,
  placeholder2: 0,
};

/** `Metagraph` of the runtime API: what the devnet keeps, and zeros for markets it has not. */
export function metagraphOf(state: StateView, netuid: number, block: number): Fields | undefined {
  if (!state.flag("subtensorModule.networksAdded", netuid)) return undefined;
  const read = (item: string) => state.number(`subtensorModule.${item}`, netuid);
  const list = (item: string) => state.list<unknown>(`subtensorModule.${item}`, netuid);
  const hotkeys = hotkeysOf(state, netuid);
  const stake = hotkeys.map((hotkey) => stakeOf(state, netuid, hotkey));
  const since = (uid: number) => state.number("subtensorModule.blockAtRegistration", netuid, uid);
  return {
    netuid,
    name: [...new TextEncoder().encode("stepwise")],
    symbol: [...new TextEncoder().encode("τ")],
    ownerHotkey: state.text("subtensorModule.subnetOwnerHotkey", netuid),
    block,
    tempo: read("tempo"),
    lastStep: read("lastMechansimStepBlock"),
    blocksSinceLastStep: read("blocksSinceLastStep"),
    kappa: read("kappa"),
    minAllowedWeights: read("minAllowedWeights"),
    maxWeightsLimit: read("maxWeightsLimit"),
    weightsVersion: read("weightsVersionKey"),
    weightsRateLimit: read("weightsSetRateLimit"),
    activityCutoff: read("activityCutoff"),
    maxValidators: read("maxAllowedValidators"),
    numUids: hotkeys.length,
    maxUids: read("maxAllowedUids"),
    burn: state.big("subtensorModule.burn", netuid),
    registrationAllowed: true,
    immunityPeriod: read("immunityPeriod"),
    servingRateLimit: read("servingRateLimit"),
    commitRevealWeightsEnabled: state.flag("subtensorModule.commitRevealWeightsEnabled", netuid),
    commitRevealPeriod: read("revealPeriodEpochs"),
    hotkeys,
    coldkeys: hotkeys.map((hotkey) => state.text("subtensorModule.owner", hotkey)),
    identities: hotkeys.map(() => null),
    axons: hotkeys.map((hotkey) => axonOf(state, netuid, hotkey)),
    active: list("active"),
    validatorPermit: list("validatorPermit"),
    pruningScore: hotkeys.map(() => 0),
    lastUpdate: list("lastUpdate"),
    emission: list("emission"),
    dividends: list("dividends"),
    incentives: list("incentive"),
    consensus: list("consensus"),
    trust: hotkeys.map(() => 0),
    rank: hotkeys.map(() => 0),
    blockAtRegistration: hotkeys.map((_, uid) => since(uid)),
    alphaStake: stake,
    taoStake: hotkeys.map(() => 0),
    totalStake: stake,
  };
}

function axonOf(state: StateView, netuid: number, hotkey: string): unknown {
  return state.read("subtensorModule.axons", netuid, hotkey)?.toJSON() ?? NO_AXON;
}

/** `NeuronInfoLite` of each uid. */
export function neuronsLiteOf(state: StateView, netuid: number): Fields[] {
  const list = (item: string) => state.list<unknown>(`subtensorModule.${item}`, netuid);
  const columns = {
    active: list("active"),
    emission: list("emission"),
    incentive: list("incentive"),
    consensus: list("consensus"),
    validatorTrust: list("validatorTrust"),
    dividends: list("dividends"),
    lastUpdate: list("lastUpdate"),
    validatorPermit: list("validatorPermit"),
  };
  return hotkeysOf(state, netuid).map((hotkey, uid) => {
    const coldkey = state.text("subtensorModule.owner", hotkey);
    return {
      ...Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[uid]])),
      hotkey,
      coldkey,
      uid,
      netuid,
      axonInfo: axonOf(state, netuid, hotkey),
      prometheusInfo: { block: 0, version: 0, ip: 0, port: 0, ipType: 0 },
      stake: [[coldkey, stakeOf(state, netuid, hotkey)]],
      rank: 0,
      trust: 0,
      pruningScore: 0,
    };
  });
}

export function hyperparametersOf(state: StateView, netuid: number): Fields | undefined {
  if (!state.flag("subtensorModule.networksAdded", netuid)) return undefined;
  const read = (item: string) => state.number(`subtensorModule.${item}`, netuid);
  return {
    kappa: read("kappa"),
    immunityPeriod: read("immunityPeriod"),
    minAllowedWeights: read("minAllowedWeights"),
    maxWeightsLimit: read("maxWeightsLimit"),
    tempo: read("tempo"),
    weightsVersion: read("weightsVersionKey"),
    weightsRateLimit: read("weightsSetRateLimit"),
    activityCutoff: read("activityCutoff"),
    registrationAllowed: true,
    servingRateLimit: read("servingRateLimit"),
    maxValidators: read("maxAllowedValidators"),
    commitRevealPeriod: read("revealPeriodEpochs"),
    commitRevealWeightsEnabled: state.flag("subtensorModule.commitRevealWeightsEnabled", netuid),
  };
}

export function nextEpochOf(state: StateView, netuid: number, block: number): number | undefined {
  if (!state.flag("subtensorModule.networksAdded", netuid)) return undefined;
  return nextEpochBlock(scheduleOf(state, netuid), block);
}
