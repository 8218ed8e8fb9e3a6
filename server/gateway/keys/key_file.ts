import { readFileSync, statSync } from "node:fs";
import { counted } from "../../../core/counted.ts";
import { AppError, reason } from "../../../core/error.ts";
import { type Log, OnChange } from "../../telemetry/mod.ts";
import { hashOfKey, MAX_KEY_LENGTH } from "./key_text.ts";

const MIN_LENGTH = 16;

/** Keys of applications in a file, a key a line, of which only hashes are kept in memory. */
export class KeyFile {
  readonly #path: string | undefined;
  readonly #log: Log;
  readonly #state: OnChange;
  #hashes: ReadonlySet<string> = new Set();
  #seen = "";

  /**
   * The keys of a file, and from then on whatever the file has: it is looked at whenever a key is
   * presented. While it cannot be read or breaks a rule the keys of before stay, and the log says so.
   * @param path lines that begin with # are comments. Without a file there are no keys.
   * @throws AppError `invalid_request` naming the line and its rule, `storage_failed`.
   */
  constructor(path: string | undefined, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#state = new OnChange(log);
    if (path !== undefined) this.#take(path);
  }

  /** Whether it has a key of this hash. */
  has(hash: string): boolean {
    if (this.#path !== undefined) this.#refresh(this.#path);
    return this.#hashes.has(hash);
  }

  #refresh(path: string): void {
    try {
      if (versionOf(path) === this.#seen) return;
      this.#take(path);
      this.#state.clear();
      this.#log("API keys taken over", { path, keys: this.#hashes.size });
    } catch (error) {
      this.#state.say("API keys not taken over", { path, error: reason(error) }, "warn");
    }
  }

  #take(path: string): void {
    try {
      const version = versionOf(path);
      this.#hashes = hashesOf(readFileSync(path, "utf8").split(/\r?\n/), path);
      this.#seen = version;
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
