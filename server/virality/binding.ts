import { decodeSs58, isSs58, type Signer, verifySr25519 } from "../../core/keys/mod.ts";
import type { AccountSeen } from "./network.ts";

/** What a creator signs to own an account; for a user of an application its operator signs. */
function bindingMessage(account: string, creator: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`stepwise account 1\n${account}\n${creator}`);
}

/**
 * The sentence that binds an account to a creator: for its profile, or for one of its posts. 145 letters,
 * of the 256 that Bluesky's profiles take.
 * @param account such as `bluesky:did:plc:...` or `mastodon:mara@mastodon.social`.
 * @param creator the key's own address, or a user of whom it vouches.
 */
export async function bindingSentence(
  account: string,
  { address, sign }: { readonly address: string; readonly sign: Signer },
  creator: string = address,
): Promise<string> {
  const signature = await sign(bindingMessage(account, creator));
  const text = signature.toBase64({ alphabet: "base64url", omitPadding: true });
  return `stepwise:${address}:${text}`;
}

/** SS58, then 64 bytes in base64url. */
const SENTENCE = /stepwise:([1-9A-HJ-NP-Za-km-z]{46,50}):([A-Za-z0-9_-]{86})(?![A-Za-z0-9_-])/g;
/** Sentences of one text that are looked at: a check of a signature costs a millisecond. */
const MAX_SENTENCES = 8;

/** The key that speaks for a creator: their own, or the operator's, of `address/user`. */
export function signerOf(creator: string): string {
  return creator.split("/")[0];
}

/** Whether a creator signed that an account is theirs, and it says so itself. */
export function isBound(
  { account }: AccountSeen,
  creator: string,
  texts: readonly string[],
): boolean {
  const found = texts.flatMap((text) => [...text.matchAll(SENTENCE)].slice(0, MAX_SENTENCES));
  return found.some(([, address, signature]) =>
    address === signerOf(creator) && isSs58(address) &&
    verifySr25519(
      bindingMessage(account, creator),
      Uint8Array.fromBase64(signature, { alphabet: "base64url" }),
      decodeSs58(address),
    )
  );
}
