/**
 * A chain on this machine, with subtensor's own metadata (spec 424) trimmed to what neurons use.
 *
 * What differs from the real chain, all of it:
 * - Consensus: Yuma without bonds that move over epochs (those of the epoch alone), without liquid
 *   alpha, in floating point. Weights older than their neuron's registration are masked, as there.
 * - Emission: 1 alpha a block, 41 % to miners and 41 % to validators, whole at each epoch; the
 *   owner's part is not paid.
 * - Stake is alpha of the subnet alone: no TAO weight, no root, no delegates' take. One TAO buys one
 *   alpha, without a pool or slippage.
 * - Registration: a fixed burn, the chain's default of one a block, no limit by interval, and no
 *   proof of work. The neuron that earned least in the last epoch is replaced, outside its immunity period.
 * - One subnet, one mechanism, no owner, no fees.
 * - drand: a beacon with a key of the devnet's own, made and trusted by the chain itself; its key and
 *   times are read from `Drand.BeaconConfig`, as there.
 * - One author, final at once. State roots are plain hashes: nobody can prove the state.
 * - State can be asked for 300 blocks back, and not from before a restart.
 */
export { devnetCommand } from "./command.ts";
export { type Devnet, type DevnetOptions, startDevnet } from "./devnet.ts";
export type { GenesisNeuron, Hyperparameters } from "./genesis.ts";
