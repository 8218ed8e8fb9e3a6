import { argon2i } from "hash-wasm";
import { z } from "zod";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { AppError, reason } from "../../../core/error.ts";

/** btwallet writes what it does not have as null. */
const text = z.string().nullish().transform((value) => value ?? undefined);
const keyfileSchema = z.object({
  accountId: text,
  publicKey: text,
  privateKey: text,
  secretPhrase: text,
  secretSeed: text,
  ss58Address: text,
});

/** What btwallet writes: any of these may be missing, others are ignored. */
export type Keyfile = Readonly<Partial<z.infer<typeof keyfileSchema>>>;

const NACL = new TextEncoder().encode("$NACL");
const NONCE_BYTES = 24;
/** libsodium's argon2i13 at SENSITIVE, with btwallet's fixed salt. */
const SALT = Uint8Array.fromHex("137183dff15a09bc9c90b5518739e9b1");
const ARGON2 = { iterations: 8, memorySize: 512 * 1024, parallelism: 1, hashLength: 32 } as const;
/** Prefixes of formats that older tools wrote. */
const FOREIGN: Readonly<Record<string, string>> = {
  "$ANSIBLE_VAULT": "Ansible vault",
  "gAAAAA": "Fernet",
};

/**
 * @param password asked for only when the file is encrypted.
 * @throws AppError `wallet_invalid`.
 */
export async function readKeyfile(
  bytes: Uint8Array,
  path: string,
  password: () => Promise<string>,
): Promise<Keyfile> {
  const foreign = foreignFormat(bytes);
  if (foreign) {
    throw invalid(path, `it is encrypted as ${foreign}, not NaCl; btcli w update rewrites it`);
  }
  if (!startsWith(bytes, NACL)) return parse(bytes, path);
  return parse(await decrypt(bytes.subarray(NACL.length), await password(), path), path);
}

/** As btwallet encrypts: $NACL, a nonce of 24 bytes, and the box. */
export async function encryptKeyfile(
  keyfile: Uint8Array,
  password: string,
  nonce: Uint8Array,
): Promise<Uint8Array> {
  const box = xsalsa20poly1305(await keyOf(password), nonce).encrypt(keyfile);
  return Uint8Array.from([...NACL, ...nonce, ...box]);
}

async function decrypt(box: Uint8Array, password: string, path: string): Promise<Uint8Array> {
  const key = await keyOf(password);
  try {
    return xsalsa20poly1305(key, box.subarray(0, NONCE_BYTES)).decrypt(box.subarray(NONCE_BYTES));
  } catch (cause) {
    throw new AppError("wallet_invalid", `Cannot open ${path}: the password is wrong`, { cause });
  }
}

/** About ten seconds, on purpose. */
function keyOf(password: string): Promise<Uint8Array> {
  return argon2i({ ...ARGON2, password, salt: SALT, outputType: "binary" });
}

function parse(bytes: Uint8Array, path: string): Keyfile {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(path, `it is no key file (${reason(cause)})`, cause);
  }
  const keyfile = keyfileSchema.safeParse(value);
  if (keyfile.success) return keyfile.data;
  const [field] = keyfile.error.issues[0].path;
  // Its value may be a secret.
  throw invalid(
    path,
    field === undefined ? "it is no key file" : `its ${String(field)} is no text`,
  );
}

function foreignFormat(bytes: Uint8Array): string | undefined {
  return Object.entries(FOREIGN)
    .find(([prefix]) => startsWith(bytes, new TextEncoder().encode(prefix)))?.[1];
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

export function invalid(path: string, why: string, cause?: unknown): AppError {
  return new AppError("wallet_invalid", `Cannot open ${path}: ${why}`, { cause });
}

export function unreadable(path: string, cause: unknown): AppError {
  return invalid(path, `it is there and cannot be read (${reason(cause)})`, cause);
}
