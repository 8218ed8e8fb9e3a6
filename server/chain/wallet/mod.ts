/**
 * Wallets as btcli keeps them: keyfiles, encrypted coldkeys, hotkeys that neurons open unattended,
 * and the development keys of a devnet.
 *
 * ```ts
 * import { developmentPair, openWallet } from "./mod.ts";
 *
 * const place = { path: "", name: "default", hotkey: "//Alice", network: "devnet" } as const;
 * const wallet = await openWallet(place);
 * console.assert(wallet.hotkey.address === developmentPair("//Alice").address);
 * ```
 */
export { walletCommand } from "./command.ts";
export { encryptKeyfile, type Keyfile } from "./keyfile.ts";
export { type NewWallet, newWallet, type WrittenWallet } from "./new_wallet.ts";
export { type Ask, newPassword, type PasswordSource } from "./password.ts";
export {
  defaultWalletPath,
  developmentPair,
  isAddress,
  openColdkey,
  openWallet,
  SS58_FORMAT,
  type Wallet,
  walletPath,
  type WalletPlace,
} from "./wallet.ts";
