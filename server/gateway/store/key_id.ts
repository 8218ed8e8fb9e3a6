/** Hex digits of a key's hash in its id: 128 bits, which nobody finds another key for. */
const DIGITS = 32;

/** What a key is known by; it reveals nothing of the secret. @param hash of the key, in hex. */
export function keyIdOf(hash: string): string {
  return `key ${hash.slice(0, DIGITS)}`;
}

/** What the first versions knew a key by. */
export function shortKeyIdOf(hash: string): string {
  return `key ${hash.slice(0, 8)}`;
}

/** As {@link shortKeyIdOf}. */
const SHORT = "length(keys.id) = 12 AND keys.id = 'key ' || substr(keys.hash, 1, 8)";
const WHOLE = `'key ' || substr(keys.hash, 1, ${DIGITS})`;

/** SQL that gives keys, their jobs and what they used the ids that they have now; to be run at any time. */
export const WIDEN_KEY_IDS = [
  ...["jobs", "usage"].map((table) =>
    `UPDATE ${table} SET owner = (SELECT ${WHOLE} FROM keys WHERE keys.id = ${table}.owner)
     WHERE owner IN (SELECT id FROM keys WHERE ${SHORT});`
  ),
  `UPDATE keys SET id = ${WHOLE} WHERE ${SHORT};`,
].join("\n");
