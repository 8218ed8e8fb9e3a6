export type { Axon, Metagraph, Neuron, SubnetRules } from "./metagraph.ts";
export { type NetworkName, parseEndpoint, parseNetwork } from "./networks.ts";
export { type Beacon, type EpochState, firstRevealBlock, revealRound } from "./reveal_round.ts";
export type { Inclusion } from "./submitter.ts";
export { SubnetWatch } from "./subnet_watch.ts";
export { type AxonToServe, type ChainOptions, SubtensorClient } from "./subtensor_client.ts";
export type { HashCommit, WeightsOutcome, WeightsToSet } from "./weights.ts";
