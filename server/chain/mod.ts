/**
 * All that touches the chain: the client for subtensor, wallets, timelocked weights, and a devnet
 * that answers the same client.
 *
 * ```ts
 * import { developmentPair, startDevnet, SubtensorClient } from "./mod.ts";
 *
 * const { address } = developmentPair("//Alice");
 * const neurons = [{ hotkey: address, coldkey: address, stake: 1_000n }];
 * await using devnet = await startDevnet({ port: 0, blockMs: 200, neurons });
 * await using chain = await SubtensorClient.connect({ endpoint: devnet.endpoint, netuid: 1 });
 * const { neurons: found } = await chain.metagraph();
 * console.assert(found[0].hotkey === address);
 * ```
 */
export {
  type Axon,
  type ChainOptions,
  type Metagraph,
  metagraphFromStorage,
  type Neuron,
  openLink,
  readMetagraph,
  type Reveal,
  type SignedTransfers,
  SubnetWatch,
  SubtensorClient,
  type Transfer,
  type TransfersOutcome,
} from "./client/mod.ts";
export { type Devnet, devnetCommand, startDevnet } from "./devnet/mod.ts";
export {
  addChainOptions,
  addWalletOptions,
  type ChainFlags,
  chainOptions,
  type WalletFlags,
  walletPlace,
} from "./flags.ts";
export {
  developmentPair,
  isAddress,
  openColdkey,
  openWallet,
  type Wallet,
  walletCommand,
} from "./wallet/mod.ts";
export { axonUrl, checkReach, isLocalChain, isPublicIp } from "./reach.ts";
