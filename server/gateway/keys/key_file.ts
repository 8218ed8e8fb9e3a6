import { readFileSync, statSync } from "node:fs";
import { counted } from "../../../core/counted.ts";
import { AppError, reason } from "../../../core/error.ts";
import { type Log, OnChange } from "../../telemetry/mod.ts";
import { hashOfKey, MAX_KEY_LENGTH } from "./key_text.ts";

const MIN_LENGTH = 16;

/** Where the keys of a file are kept: with all others. */
export interface KeyPlace {
  /** @param hashes of all keys that the file has now. */
  takeFile(hashes: ReadonlySet<string>): void;
}

/** Keys of applications in a file, a key a line, of which only hashes are kept. */
export class KeyFile {
  readonly #path: string | undefined;
  readonly #place: KeyPlace;
  readonly #log: Log;
  readonly #state: OnChange;
  #seen = "";

  /**
   * Takes the keys of a file over, and from then on whatever the file has: it is to be looked at whenever a
   * key is presented. While it cannot be read or breaks a rule the keys of before stay, and the log says so.
   * @param path lines that begin with # are comments. Without a file there are none of a file.
   * @throws AppError `invalid_request` naming the line and its rule, `storage_failed`.
   */
  constructor(path: string | undefined, place: KeyPlace, log: Log) {
    this.#path = path;
    this.#place = place;
    this.#log = log;
    this.#state = new OnChange(log);
    if (path === undefined) place.takeFile(new Set());
    else this.#take(path);
  }

  /** Takes over what the file has now. */
  look(): void {
    const path = this.#path;
    if (path === undefined) return;
    try {
      if (versionOf(path) === this.#seen) return;
      const keys = this.#take(path);
      this.#state.clear();
      this.#log("API keys taken over", { path, keys });
    } catch (error) {
      this.#state.say("API keys not taken over", { path, error: reason(error) }, "warn");
    }
  }

  /** @returns how many there are. */
  #take(path: string): number {
    try {
      const version = versionOf(path);
      const hashes = hashesOf(readFileSync(path, "utf8").split(/\r?\n/), path);
      this.#place.takeFile(hashes);
      this.#seen = version;
      return hashes.size;
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      const message = `Cannot read the API keys of ${path}: ${reason(cause)}`;
      throw new AppError("storage_failed", message, { cause });
    }
  }
}

/** Another one where the file was written, or replaced by another. */
function versionOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return [mtimeMs, size, ino].join();
}

function hashesOf(lines: readonly string[], source: string): ReadonlySet<string> {
  const hashes = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const key = line.trim();
    if (key === "" || key.startsWith("#")) continue;
    const problem = problemOf(key);
    if (problem) {
      const place = `line ${index + 1} of ${source}`;
      throw new AppError("invalid_request", `Cannot take the API keys: ${place} ${problem}`);
    }
    hashes.add(hashOfKey(key));
  }
  return hashes;
}

/** The rule that a key breaks. The key is not shown: it may be in use. */
function problemOf(key: string): string | undefined {
  if (/\s/.test(key)) return "has a space in it; a key is one word, a line each";
  if (key.length < MIN_LENGTH) {
    return `has ${counted(key.length, "character")}, less than ${MIN_LENGTH}: it could be guessed`;
  }
  if (key.length > MAX_KEY_LENGTH) {
    return `has ${counted(key.length, "character")}, more than ${MAX_KEY_LENGTH}`;
  }
}
