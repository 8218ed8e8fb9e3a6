import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Sql } from "../../storage/mod.ts";
import { JobTable } from "./jobs.ts";
import { KeyTable } from "./keys.ts";
import { SCHEMA } from "./schema.ts";
import { UsageTable } from "./usage.ts";
import { WebhookTable } from "./webhooks.ts";

/** The file in a gateway's folder that holds jobs and keys. */
export function gatewayFile(folder: string): string {
  return join(folder, "gateway.sqlite");
}

/** All that the gateway must not lose but for files: jobs, keys, what they used, reports to send. */
export class GatewayStore implements Disposable {
  readonly jobs: JobTable;
  readonly keys: KeyTable;
  readonly usage: UsageTable;
  readonly webhooks: WebhookTable;
  /** Signs links and reports; another one in each store. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly #sql: Sql;

  /** @param path of an SQLite file. @throws AppError `storage_failed`. */
  constructor(path: string, clock: () => number = Date.now) {
    // What was accepted, or cancelled, outlives a power cut; what is made of it is made again.
    const sql = new Sql(path, SCHEMA, { durable: true });
    this.#sql = sql;
    this.now = clock;
    this.usage = new UsageTable(sql, clock);
    this.jobs = new JobTable(sql, this.usage, clock);
    this.keys = new KeyTable(sql, clock);
    this.webhooks = new WebhookTable(sql);
    this.secret = secretOf(sql);
  }

  [Symbol.dispose](): void {
    this.#sql[Symbol.dispose]();
  }
}

const SECRET_BYTES = 32;

function secretOf(sql: Sql): Uint8Array {
  const fresh = randomBytes(SECRET_BYTES).toString("base64");
  sql.run("INSERT OR IGNORE INTO secrets VALUES ('signing', ?)", fresh);
  const row = sql.first("SELECT value FROM secrets WHERE name = 'signing'");
  return Uint8Array.fromBase64(String(row?.value));
}
