import { AppError } from "../../../core/error.ts";

/** @throws AppError `invalid_request` for another address than a data URL. */
export function bytesOf(url: unknown, field: string): Uint8Array<ArrayBuffer> {
  const base64 = typeof url === "string" ? /^data:[^,]{0,100};base64,/.exec(url)?.[0] : undefined;
  try {
    if (base64 !== undefined) return Uint8Array.fromBase64(String(url).slice(base64.length));
  } catch {
    // Said below.
  }
  throw new AppError(
    "invalid_request",
    `Cannot edit: ${field} is no data URL in base64; files of other addresses are not fetched`,
    { field },
  );
}
