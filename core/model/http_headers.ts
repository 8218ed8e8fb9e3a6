/** identity: a range of a compressed body is not a range of the file. */
export function rangeHeaders(bytes: number, validator?: string): Record<string, string> {
  const headers = new Map([["accept-encoding", "identity"]]);
  if (bytes > 0) headers.set("range", `bytes=${bytes}-`);
  if (bytes > 0 && validator !== undefined) headers.set("if-range", validator);
  return Object.fromEntries(headers);
}

/** Only a strong etag shows that two halves are of one file. @see RFC 9110, section 13.1.5. */
export function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get("etag");
  if (headers.has("content-encoding")) return undefined;
  return etag?.startsWith('"') ? etag : undefined;
}

export function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

/** `bytes 100-199/200`, and `bytes *\/200` with a 416. */
export function contentRange({ headers }: Response): { start?: number; total?: number } {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  const number = (text?: string) => text === undefined || text === "*" ? undefined : Number(text);
  return { start: number(match?.[1]), total: number(match?.[2]) };
}
