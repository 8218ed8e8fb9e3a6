export { walletCommand } from "./command.ts";
export { encryptKeyfile, type Keyfile } from "./keyfile.ts";
export { type NewWallet, newWallet, type WrittenWallet } from "./new_wallet.ts";
export { type Ask, newPassword, type PasswordSource } from "./password.ts";
export {
  defaultWalletPath,
  developmentPair,
  openWallet,
  SS58_FORMAT,
  type Wallet,
  type WalletPlace,
} from "./wallet.ts";
