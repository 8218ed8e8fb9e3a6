import { counted } from "../../core/counted.ts";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { AppError, reason } from "../../core/error.ts";
import { type Log, OnChange } from "../telemetry/mod.ts";

const MIN_LENGTH = 16;
const MAX_LENGTH = 200;
const BEARER = new RegExp(`^Bearer +(\\S{1,${MAX_LENGTH}})$`, "i");

/** Keys of applications, of which only hashes are kept in memory. */
export class ApiKeys {
  #hashes: ReadonlySet<string>;

  /** @throws AppError `invalid_request` for a key that breaks a rule, with its place. */
  constructor(keys: readonly string[]) {
    this.#hashes = hashesOf(keys, "the API keys");
  }

  /**
   * The keys of a file, and from then on whatever the file has: it is checked whenever a key is
   * presented. While it cannot be read or breaks a rule the keys of before stay, and the log says so.
   * @param path a key a line; lines that begin with # are comments. Without a file there are no keys.
   * @throws AppError `invalid_request` naming the line and its rule, `storage_failed`.
   */
  static open(path: string | undefined, log: Log): Pick<ApiKeys, "find"> {
    const keys = new ApiKeys([]);
    return path === undefined ? keys : keys.#follow(path, log);
  }

  /** @returns a name of the key that does not reveal it; undefined for an unknown key. */
  find(authorization: string | null): string | undefined {
    const key = BEARER.exec(authorization ?? "")?.[1];
    const hash = key === undefined ? undefined : hashOf(key);
    return hash !== undefined && this.#hashes.has(hash) ? `key ${hash.slice(0, 8)}` : undefined;
  }

  #follow(path: string, log: Log): Pick<ApiKeys, "find"> {
    let seen = this.#take(path);
    const state = new OnChange(log);
    const refresh = () => {
      try {
        if (versionOf(path) === seen) return;
        seen = this.#take(path);
        state.clear();
        log("API keys taken over", { path, keys: this.#hashes.size });
      } catch (error) {
        state.say("API keys not taken over", { path, error: reason(error) }, "warn");
      }
    };
    return {
      find: (authorization) => {
        refresh();
        return this.find(authorization);
      },
    };
  }

  /** @returns the version of the file that was read. */
  #take(path: string): string {
    try {
      const version = versionOf(path);
      this.#hashes = hashesOf(readFileSync(path, "utf8").split(/\r?\n/), path);
      return version;
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
    hashes.add(hashOf(key));
  }
  return hashes;
}

/** The rule that a key breaks. The key is not shown: it may be in use. */
function problemOf(key: string): string | undefined {
  if (/\s/.test(key)) return "has a space in it; a key is one word, a line each";
  if (key.length < MIN_LENGTH) {
    return `has ${counted(key.length, "character")}, less than ${MIN_LENGTH}: it could be guessed`;
  }
  if (key.length > MAX_LENGTH) {
    return `has ${counted(key.length, "character")}, more than ${MAX_LENGTH}`;
  }
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
