import { Keyring } from "@polkadot/keyring";
import { u8aToHex } from "@polkadot/util";
import { cryptoWaitReady, mnemonicGenerate, mnemonicToMiniSecret } from "@polkadot/util-crypto";
import { dirname, join } from "node:path";
import { AppError } from "../../../core/error.ts";
import { encryptKeyfile, type Keyfile } from "./keyfile.ts";
import { checkName } from "./wallet.ts";

export interface NewWallet {
  readonly path: string;
  readonly name: string;
  readonly hotkey: string;
  /** Encrypts the coldkey. The hotkey is never encrypted: neurons open it unattended. */
  readonly password?: string;
}

/** Files that were written, and the addresses in them. */
export interface WrittenWallet {
  readonly files: readonly string[];
  readonly coldkey: string | undefined;
  readonly hotkey: string;
}

const MODE = 0o600;

/**
 * Writes a wallet as btcli does: a coldkey where there is none yet, and a new hotkey.
 * @throws AppError `invalid_request` when the hotkey is there: nothing is overwritten.
 */
export async function newWallet(
  { path, name, hotkey, password }: NewWallet,
): Promise<WrittenWallet> {
  await cryptoWaitReady();
  const folder = join(path, checkName(name));
  const hotkeyPath = join(folder, "hotkeys", checkName(hotkey));
  await refuseExisting(hotkeyPath);
  const coldkeyPath = join(folder, "coldkey");
  const files: [string, Uint8Array][] = [];
  const fresh = makeKey();
  files.push([hotkeyPath, jsonOf(fresh)], [`${hotkeyPath}pub.txt`, jsonOf(publicPart(fresh))]);
  const cold = await exists(coldkeyPath) ? undefined : makeKey();
  if (cold) {
    const nonce = crypto.getRandomValues(new Uint8Array(24));
    const secret = password ? await encryptKeyfile(jsonOf(cold), password, nonce) : jsonOf(cold);
    files.push([coldkeyPath, secret], [join(folder, "coldkeypub.txt"), jsonOf(publicPart(cold))]);
  }
  for (const [file, bytes] of files) await writeNew(file, bytes);
  return {
    files: files.map(([file]) => file),
    coldkey: cold?.ss58Address,
    hotkey: fresh.ss58Address,
  };
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

/** Whole or not at all, readable by nobody else at any moment, and never over another file. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(partial, bytes, { mode: MODE, createNew: true });
    await Deno.link(partial, path);
  } finally {
    await Deno.remove(partial).catch(() => {});
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
  return await Deno.stat(path).then(() => true, () => false);
}
