import { AppError } from "../../../core/error.ts";
import { NSFW_POLICIES, type NsfwPolicy } from "../../safety/mod.ts";
import type { Sql, SqlRow } from "../../storage/mod.ts";
import { keyIdOf, shortKeyIdOf } from "./key_id.ts";
import { numberOf } from "./rows.ts";

/** What a key may use. What is left out is not bounded. */
export interface KeyLimits {
  readonly requestsPerMinute?: number;
  /** Of a day in UTC. */
  readonly imagesPerDay?: number;
  /** That have not ended, at once. */
  readonly jobs?: number;
  /** Ids; left out for all. */
  readonly models?: readonly string[];
  /** On what is not for everybody, in place of the deployment's. */
  readonly nsfw?: NsfwPolicy;
}

/** A key of an application, without its secret. */
export interface ApiKey {
  /** Reveals nothing of the secret. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly limits: KeyLimits;
}

/** A key as the operator sees it. Times are milliseconds since 1970. */
export interface KeptKey extends ApiKey {
  readonly created: number;
  readonly expires: number | undefined;
  readonly revoked: number | undefined;
}

/** Keys, of which only hashes are kept. Other processes may change them at any time. */
export class KeyTable {
  readonly #sql: Sql;
  readonly #clock: () => number;

  constructor(sql: Sql, clock: () => number) {
    this.#sql = sql;
    this.#clock = clock;
  }

  /** @throws AppError `invalid_request` for a name that another key has. */
  add(
    { id, name, hash, limits, expires }: ApiKey & {
      readonly hash: string;
      readonly expires: number | undefined;
    },
  ): void {
    if (this.#sql.first("SELECT 1 FROM keys WHERE name = ?", name)) {
      const message = `Cannot make a key: name is ${name}, which another key has`;
      throw new AppError("invalid_request", message, { field: "name" });
    }
    this.#sql.run(
      "INSERT INTO keys VALUES (?, ?, ?, ?, ?, NULL, ?)",
      ...[id, name, hash, this.#clock(), expires ?? null, JSON.stringify(limits)],
    );
  }

  /**
   * Keys of a file, without limits until they are given some. Those that the file had before and has no more
   * are forgotten; one that was revoked stays so while the file has it.
   * @param hashes of all of them.
   */
  takeFile(hashes: ReadonlySet<string>): void {
    this.#sql.atomically(() => {
      const ids = new Set([...hashes].map(keyIdOf));
      const before = this.#sql.all("SELECT id FROM file_keys").map(({ id }) => String(id));
      for (const id of before.filter((id) => !ids.has(id))) {
        this.#sql.run("DELETE FROM keys WHERE id = ?", id);
        this.#sql.run("DELETE FROM file_keys WHERE id = ?", id);
      }
      for (const hash of hashes) this.#addOfFile(hash);
    });
  }

  #addOfFile(hash: string): void {
    const id = keyIdOf(hash);
    const isNew = this.#sql.run(
      "INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?, NULL, NULL, '{}')",
      ...[id, id, hash, this.#clock()],
    );
    // A key that was made here stays when the file has it no more.
    if (isNew === 0) return;
    this.#sql.run("INSERT OR IGNORE INTO file_keys VALUES (?)", id);
    for (const table of ["jobs", "usage"]) {
      this.#sql.run(`UPDATE ${table} SET owner = ? WHERE owner = ?`, id, shortKeyIdOf(hash));
    }
  }

  /** The key that may be used now. */
  ofHash(hash: string): ApiKey | undefined {
    const row = this.#sql.first(
      "SELECT * FROM keys WHERE hash = ? AND revoked IS NULL AND (expires IS NULL OR expires > ?)",
      ...[hash, this.#clock()],
    );
    return row && keyOf(row);
  }

  byId(id: string): ApiKey | undefined {
    const row = this.#sql.first("SELECT * FROM keys WHERE id = ?", id);
    return row && keyOf(row);
  }

  /** @param name or id. @throws AppError `invalid_request`. */
  named(name: string): KeptKey {
    const row = this.#sql.first("SELECT * FROM keys WHERE name = ? OR id = ?", name, name);
    if (row) return keyOf(row);
    throw new AppError("invalid_request", `Cannot find the key: there is none named ${name}`);
  }

  list(): KeptKey[] {
    return this.#sql.all("SELECT * FROM keys ORDER BY created, name").map(keyOf);
  }

  limit(id: string, limits: KeyLimits, expires: number | undefined): void {
    this.#sql.run(
      "UPDATE keys SET limits = ?, expires = ? WHERE id = ?",
      ...[JSON.stringify(limits), expires ?? null, id],
    );
  }

  revoke(id: string): void {
    this.#sql.run(
      "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL",
      this.#clock(),
      id,
    );
  }
}

function keyOf(row: SqlRow): KeptKey {
  return {
    ...{ id: String(row.id), name: String(row.name), created: Number(row.created) },
    ...{ expires: numberOf(row.expires), revoked: numberOf(row.revoked) },
    limits: limitsOf(JSON.parse(String(row.limits))),
  };
}

/** The first versions could only leave a key out of the deployment's policy. */
function limitsOf(
  { nsfw, ...limits }: Omit<KeyLimits, "nsfw"> & { readonly nsfw?: unknown },
): KeyLimits {
  const policy = nsfw === true ? "off" : NSFW_POLICIES.find((each) => each === nsfw);
  return policy === undefined ? limits : { ...limits, nsfw: policy };
}
