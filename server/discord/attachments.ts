import { readAtMost } from "../../core/bounded_body.ts";
import { AppError } from "../../core/error.ts";
import type { Attachment } from "./interaction.ts";

/** Milliseconds of a download. */
const DOWNLOAD_MS = 20_000;

/** Where Discord has what people attach; nothing else is fetched. */
export const DISCORD_FILES: readonly string[] = [
  "https://cdn.discordapp.com",
  "https://media.discordapp.net",
];

/**
 * A file that somebody attached.
 * @param origins that it may come from.
 * @throws AppError `invalid_request`, `request_too_large`, `host_failed`.
 */
export async function attached(
  file: Attachment | undefined,
  max: number,
  origins: readonly string[],
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!file) throw new AppError("invalid_request", "Cannot start: the file is missing");
  if (file.size > max) throw tooLarge(max);
  if (!URL.canParse(file.url) || !origins.includes(new URL(file.url).origin)) {
    throw new AppError("invalid_request", "Cannot read the file: it is not one of Discord's");
  }
  const within = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_MS)]);
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  try {
    const response = await fetch(file.url, { redirect: "error", signal: within });
    if (!response.ok) throw new Error(`status ${response.status}`);
    bytes = await readAtMost(response, max, within);
  } catch {
    // The reason names the address, which opens the file for anybody.
    throw new AppError("host_failed", "Cannot read the file: Discord does not give it just now");
  }
  if (bytes) return bytes;
  throw tooLarge(max);
}

function tooLarge(max: number): AppError {
  const why = `it has more than ${Math.floor(max / 1024)} kB`;
  return new AppError("request_too_large", `Cannot read the file: ${why}`);
}
