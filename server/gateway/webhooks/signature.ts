import { createHmac } from "node:crypto";

const PREFIX = "whsec_";

/**
 * The secret by which a key's owner recognizes our reports: another one of each key, and never stored.
 * @param owner id of the key.
 */
export function webhookSecret(signing: Uint8Array, owner: string): string {
  const bytes = createHmac("sha256", signing).update(`webhook\n${owner}`).digest();
  return PREFIX + bytes.toString("base64");
}

/**
 * Headers of a report, as Standard Webhooks has them.
 * @param seconds since 1970.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureHeaders(
  secret: string,
  { id, seconds, body }: { readonly id: string; readonly seconds: number; readonly body: string },
): Record<string, string> {
  const key = Uint8Array.fromBase64(secret.slice(PREFIX.length));
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${signature}`,
  };
}
