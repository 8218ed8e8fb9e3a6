/**
 * The client of subtensor, over `@polkadot/api`: the metagraph, extrinsics, weights with commit and
 * reveal. It knows a devnet by its name alone: what it talks to is an endpoint.
 *
 * ```ts
 * import { firstRevealBlock, parseNetwork } from "./mod.ts";
 *
 * console.assert(parseNetwork("finney") === "finney");
 *
 * // A commit in block 11 of epochs of 20 blocks, revealed one epoch later.
 * const block = firstRevealBlock({
 *   head: 10,
 *   lastEpochBlock: 0,
 *   pendingEpochAt: 0,
 *   subnetEpochIndex: 0,
 *   tempo: 20,
 *   blocksSinceLastStep: 10,
 *   revealPeriodEpochs: 1,
 * });
 * console.assert(block === 20);
 * ```
 */
export { openLink } from "./connection.ts";
export { metagraphFromStorage } from "./metagraph_storage.ts";
export { readMetagraph } from "./read_metagraph.ts";
export type { Axon, Metagraph, Neuron, SubnetRules } from "./metagraph.ts";
export { type NetworkName, parseEndpoint, parseNetwork } from "./networks.ts";
export { DEVNET_NAME } from "./registering.ts";
export { type Beacon, type EpochState, firstRevealBlock, revealRound } from "./reveal_round.ts";
export type { Inclusion } from "./submitter.ts";
export type { SignedTransfers, Transfer, TransfersOutcome } from "./signed_transfers.ts";
export { SubnetWatch } from "./subnet_watch.ts";
export { type AxonToServe, type ChainOptions, SubtensorClient } from "./subtensor_client.ts";
export type { HashCommit, Reveal, WeightsOutcome, WeightsToSet } from "./weights.ts";
