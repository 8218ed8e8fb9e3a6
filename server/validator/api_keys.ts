import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";

const MIN_LENGTH = 16;

/** Keys of applications, of which only hashes are kept in memory. */
export class ApiKeys {
  readonly #hashes: ReadonlySet<string>;

  /** @throws AppError `invalid_request` for a key that could be guessed. */
  constructor(keys: readonly string[]) {
    if (keys.some((key) => key.length < MIN_LENGTH)) {
      throw new AppError(
        "invalid_request",
        `Cannot take the API keys: one has less than ${MIN_LENGTH} characters`,
      );
    }
    this.#hashes = new Set(keys.map(hashOf));
  }

  /** @param path a key a line; lines that begin with # are comments. */
  static async read(path: string): Promise<ApiKeys> {
    try {
      const lines = (await readFile(path, "utf8")).split(/\r?\n/).map((line) => line.trim());
      return new ApiKeys(lines.filter((line) => line !== "" && !line.startsWith("#")));
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError(
        "storage_failed",
        `Cannot read the API keys of ${path}: ${reason(cause)}`,
        {
          cause,
        },
      );
    }
  }

  /** @returns a name of the key that does not reveal it; undefined for an unknown key. */
  find(authorization: string | null): string | undefined {
    const key = /^Bearer +(\S{1,200})$/i.exec(authorization ?? "")?.[1];
    const hash = key === undefined ? undefined : hashOf(key);
    return hash !== undefined && this.#hashes.has(hash) ? `key ${hash.slice(0, 8)}` : undefined;
  }
}

function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
