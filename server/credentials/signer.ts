import { createPrivateKey, type KeyObject, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { AppError, reason } from "../../core/error.ts";
import type { Sign } from "./cose.ts";

/** Who signs: a key, and the certificates that vouch for it. */
export interface Signer {
  /** DER, the signer's own first. */
  readonly chain: readonly Uint8Array[];
  readonly sign: Sign;
}

const CURVE = "prime256v1";

/**
 * Reads a signer's PEM files.
 * @param paths of the certificates, the signer's own first, and of its key.
 * @throws AppError `storage_failed`; `invalid_request` for a key of another curve, or of another
 * certificate.
 */
export function readSigner(paths: { readonly chain: string; readonly key: string }): Signer {
  const chain = certificatesIn(read(paths.chain));
  if (chain.length === 0) refuse(`${paths.chain} has no certificate in PEM`);
  const key = keyIn(paths.key);
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== CURVE) {
    refuse(`${paths.key} is no key of the curve P-256 (openssl ecparam -name ${CURVE} -genkey)`);
  }
  if (!chain[0].checkPrivateKey(key)) {
    refuse(`${paths.key} is not the key of the first certificate of ${paths.chain}`);
  }
  return {
    chain: chain.map(({ raw }) => new Uint8Array(raw)),
    sign: (bytes) => new Uint8Array(sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" })),
  };
}

function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function keyIn(path: string): KeyObject {
  try {
    return createPrivateKey(read(path));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    return refuse(`${path} is no private key in PEM without a password (${reason(cause)})`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot sign content credentials: ${why}`);
}
