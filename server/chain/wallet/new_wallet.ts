import { Keyring } from "@polkadot/keyring";
import { u8aToHex } from "@polkadot/util";
import { cryptoWaitReady, mnemonicGenerate, mnemonicToMiniSecret } from "@polkadot/util-crypto";
import { link, lstat, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, reason } from "../../../core/error.ts";
import { isMissing } from "../../storage/mod.ts";
import { encryptKeyfile, type Keyfile, unreadable } from "./keyfile.ts";
import type { PasswordSource } from "./password.ts";
import { checkName } from "./wallet.ts";

export interface NewWallet {
  readonly path: string;
  readonly name: string;
  readonly hotkey: string;
  /**
   * Of the coldkey, asked for when one is made; undefined leaves it unencrypted. The hotkey is never
   * encrypted: neurons open it unattended.
   */
  readonly password?: PasswordSource;
}

/** Files that were written, and the addresses in them. */
export interface WrittenWallet {
  readonly files: readonly string[];
  readonly coldkey: string | undefined;
  readonly hotkey: string;
}

const MODE = 0o600;

type NewFile = readonly [path: string, bytes: Uint8Array];

/**
 * Writes a wallet as btcli does: a coldkey where the wallet has none, not even its public half, and
 * a new hotkey. All of it or nothing.
 * @throws AppError `invalid_request` when the hotkey is there: nothing is overwritten.
 */
export async function newWallet(
  { path, name, hotkey, password }: NewWallet,
): Promise<WrittenWallet> {
  await cryptoWaitReady();
  const folder = join(path, checkName(name));
  const hotkeyPath = join(folder, "hotkeys", checkName(hotkey));
  for (const each of [hotkeyPath, `${hotkeyPath}pub.txt`]) await refuseExisting(each);
  const fresh = makeKey();
  const hot: NewFile[] = [
    [hotkeyPath, jsonOf(fresh)],
    [`${hotkeyPath}pub.txt`, jsonOf(publicPart(fresh))],
  ];
  const coldkeyPath = join(folder, "coldkey");
  const coldPaths = [coldkeyPath, join(folder, "coldkeypub.txt")] as const;
  // A miner has the public half alone: the coldkey is on another machine, and must not be replaced.
  const cold = (await Promise.all(coldPaths.map(exists))).some(Boolean) ? undefined : makeKey();
  const files = cold ? [...hot, ...await coldFiles(cold, coldPaths, password)] : hot;
  await writeAll(files);
  return {
    files: files.map(([file]) => file),
    coldkey: cold?.ss58Address,
    hotkey: fresh.ss58Address,
  };
}

async function coldFiles(
  key: WholeKey,
  [path, publicPath]: readonly [string, string],
  password: PasswordSource | undefined,
): Promise<NewFile[]> {
  const plain = jsonOf(key);
  const nonce = crypto.getRandomValues(new Uint8Array(24));
  const secret = password ? await encryptKeyfile(plain, await password(path), nonce) : plain;
  return [[path, secret], [publicPath, jsonOf(publicPart(key))]];
}

type WholeKey = Required<Omit<Keyfile, "privateKey">>;

function makeKey(): WholeKey {
  const secretPhrase = mnemonicGenerate(12);
  const seed = mnemonicToMiniSecret(secretPhrase);
  const pair = new Keyring({ type: "sr25519", ss58Format: 42 }).addFromSeed(seed);
  const publicKey = u8aToHex(pair.publicKey);
  return {
    accountId: publicKey,
    publicKey,
    secretPhrase,
    secretSeed: u8aToHex(seed),
    ss58Address: pair.address,
  };
}

function publicPart({ accountId, publicKey, ss58Address }: WholeKey): Keyfile {
  return { accountId, publicKey, ss58Address };
}

function jsonOf(keyfile: Keyfile): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(keyfile));
}

/** All of them, or none stays. */
async function writeAll(files: readonly NewFile[]): Promise<void> {
  const written: string[] = [];
  try {
    for (const [file, bytes] of files) {
      await writeNew(file, bytes);
      written.push(file);
    }
  } catch (cause) {
    for (const file of written) await rm(file);
    throw new AppError("storage_failed", `Cannot write the wallet: ${reason(cause)}`, { cause });
  }
}

/** Whole or not at all, readable by nobody else at any moment, and never over another file. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${crypto.randomUUID()}`;
  try {
    await writeFile(partial, bytes, { mode: MODE, flag: "wx" });
    await link(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

async function refuseExisting(path: string): Promise<void> {
  if (!await exists(path)) return;
  throw new AppError(
    "invalid_request",
    `Cannot make the hotkey: ${path} is there already; --wallet.hotkey gives another name`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw unreadable(path, error);
  }
}
