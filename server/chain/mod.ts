export {
  type Axon,
  type ChainOptions,
  type Metagraph,
  metagraphFromStorage,
  type Neuron,
  openLink,
  readMetagraph,
  type Reveal,
  SubnetWatch,
  SubtensorClient,
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
export { developmentPair, openWallet, type Wallet, walletCommand } from "./wallet/mod.ts";
