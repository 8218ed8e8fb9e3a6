import { Keyring } from "@polkadot/keyring";
import type { KeyringPair } from "@polkadot/keyring/types";
import { hexToU8a, isHex } from "@polkadot/util";
import { checkAddress, cryptoWaitReady, mnemonicValidate } from "@polkadot/util-crypto";
import { readFile as readBytes } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { AppError } from "../../../core/error.ts";
import { isMissing } from "../../storage/mod.ts";
import type { Hotkey } from "../../../core/keys/mod.ts";
import type { NetworkName } from "../client/mod.ts";
import { invalid, type Keyfile, readKeyfile, unreadable } from "./keyfile.ts";
import { passwordFromUser, type PasswordSource } from "./password.ts";
import { pairOfPrivateKey } from "./private_key.ts";

/** Where a wallet is, by btcli's flags. */
export interface WalletPlace {
  /** `--wallet.path`: the folder of all wallets. */
  readonly path: string;
  readonly name: string;
  /** A file's name, or a development key such as `//Alice`. */
  readonly hotkey: string;
  readonly network: NetworkName;
}

/** A hotkey that is open. */
export interface Wallet {
  /** For receipts and requests. */
  readonly hotkey: Hotkey;
  /** For transactions. */
  readonly pair: KeyringPair;
  /** SS58, if the wallet has it. */
  readonly coldkey: string | undefined;
}

const SEED_BYTES = 32;

/** Of all addresses of the chain. */
export const SS58_FORMAT = 42;

function home(): string {
  return process.env.HOME ?? process.env.USERPROFILE ?? ".";
}

/** `~/.bittensor/wallets` */
export function defaultWalletPath(): string {
  return join(home(), ".bittensor", "wallets");
}

/** With `~` for the user's own folder, which no shell puts in after an equals sign. */
export function walletPath(text: string): string {
  return text === "~" || /^~[/\\]/.test(text) ? join(home(), text.slice(1)) : text;
}

/**
 * @throws AppError `wallet_not_found` naming the path, `wallet_invalid`, or `invalid_request` for a
 * development key on a network that is real.
 */
export async function openWallet(
  place: WalletPlace,
  password: PasswordSource = passwordFromUser,
): Promise<Wallet> {
  await cryptoWaitReady();
  if (place.hotkey.startsWith("//")) return developmentWallet(place);
  const folder = join(place.path, place.name);
  const path = join(folder, "hotkeys", checkName(place.hotkey));
  const bytes = await readFile(path, place);
  const pair = pairOf(await readKeyfile(bytes, path, () => password(path)), path);
  return walletOf(pair, await coldkeyOf(join(folder, "coldkeypub.txt")));
}

/**
 * The key that a wallet's TAO belongs to; of a development key that key itself.
 * @throws AppError as {@link openWallet}.
 */
export async function openColdkey(
  place: WalletPlace,
  password: PasswordSource = passwordFromUser,
): Promise<KeyringPair> {
  await cryptoWaitReady();
  if (place.hotkey.startsWith("//")) return developmentWallet(place).pair;
  const path = join(place.path, checkName(place.name), "coldkey");
  const bytes = await readFile(path, place);
  return pairOf(await readKeyfile(bytes, path, () => password(path)), path);
}

/** Whether a text is an address of the chain, in SS58. */
export function isAddress(text: string): boolean {
  return checkAddress(text, SS58_FORMAT)[0];
}

function developmentWallet({ hotkey, network }: WalletPlace): Wallet {
  if (network !== "devnet") {
    throw new AppError(
      "invalid_request",
      `Cannot open the wallet: ${hotkey} is a development key that everybody has, and the network ` +
        `is ${network}; use it with --subtensor.network devnet`,
    );
  }
  return walletOf(developmentPair(hotkey), undefined);
}

/** A key that everybody can derive. @param uri such as `//Alice`. */
export function developmentPair(uri: string): KeyringPair {
  return keyring().addFromUri(uri);
}

function walletOf(pair: KeyringPair, coldkey: string | undefined): Wallet {
  const sign = (message: Uint8Array) => Promise.resolve(pair.sign(message));
  return { hotkey: { address: pair.address, sign, fresh: false }, pair, coldkey };
}

/** By the first that is there, as btwallet does; the seed before a private key's bytes. */
function pairOf(keyfile: Keyfile, path: string): KeyringPair {
  const { ss58Address } = keyfile;
  const pair = secretPairOf(keyfile, path);
  if (ss58Address && ss58Address !== pair.address) {
    throw invalid(path, `its address is ${ss58Address}, and its secret makes ${pair.address}`);
  }
  return pair;
}

function secretPairOf(keyfile: Keyfile, path: string): KeyringPair {
  const { secretPhrase, secretSeed, privateKey } = keyfile;
  if (secretPhrase) return keyring().addFromMnemonic(phraseOf(secretPhrase, path));
  if (secretSeed) return keyring().addFromSeed(seedOf(secretSeed, path));
  if (privateKey) return pairOfPrivateKey(keyring(), keyfile, path);
  throw invalid(path, "it has no secret");
}

/** polkadot would take any text for a phrase, and what follows slashes for a path or password. */
function phraseOf(phrase: string, path: string): string {
  if (mnemonicValidate(phrase)) return phrase;
  throw invalid(
    path,
    "its secret phrase is none of BIP39: 12 to 24 words of its list, the last with a checksum",
  );
}

function seedOf(seed: string, path: string): Uint8Array {
  if (isHex(seed, 8 * SEED_BYTES)) return hexToU8a(seed);
  throw invalid(path, `its seed is not ${SEED_BYTES} bytes in hexadecimal, with 0x before them`);
}

function keyring(): Keyring {
  return new Keyring({ type: "sr25519", ss58Format: SS58_FORMAT });
}

async function readFile(path: string, { name, hotkey }: WalletPlace): Promise<Uint8Array> {
  try {
    return await readBytes(path);
  } catch (cause) {
    if (!isMissing(cause)) throw unreadable(path, cause);
    throw new AppError(
      "wallet_not_found",
      `Cannot open the wallet: ${path} is not there; check --wallet.path, --wallet.name ` +
        `(${name}) and --wallet.hotkey (${hotkey}), or make one: deno task wallet new`,
      { cause },
    );
  }
}

async function coldkeyOf(path: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
  return (await readKeyfile(bytes, path, () => Promise.resolve(""))).ss58Address;
}

/** @throws AppError `invalid_request` for what would leave the wallet's folder. */
export function checkName(name: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(name) && !/^\.+$/.test(name)) return name;
  throw new AppError(
    "invalid_request",
    `Cannot open the wallet: ${JSON.stringify(name)} is no name of a key (letters, digits, . _ -)`,
  );
}
