export { walletCommand } from "./command.ts";
export { encryptKeyfile, type Keyfile } from "./keyfile.ts";
export { type NewWallet, newWallet, type WrittenWallet } from "./new_wallet.ts";
export {
  defaultWalletPath,
  developmentPair,
  openWallet,
  type PasswordSource,
  type Wallet,
  type WalletPlace,
} from "./wallet.ts";
