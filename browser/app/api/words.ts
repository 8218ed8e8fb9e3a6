/** An untrusted value as text. It may be any JSON value, even one without a text form. */
export function textOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Milliseconds that a `Date` can be of, on either side of 1970. */
const MAX_TIME = 8.64e15;

/** `2026-01-31 12:00:00 UTC`. */
export function timeOf(ms: number): string {
  if (!(Math.abs(ms) <= MAX_TIME)) return "at an invalid time";
  return `${new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z$/, "")} UTC`;
}

/** The "Y is Z" of an error's sentence, for a place where X is clear. */
export function whyOf(sentence: string): string {
  return sentence.replace(/^Cannot [^:]*: /, "");
}

/** `1 step`, `3 steps`. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** What was checked of a receipt whose model this tab does not have. */
export const STATEMENT_ONLY =
  "only the signature, the time and the hash of a given image were checked";
