import { decodeAttestation } from "../../../core/protocol/mod.ts";
import type { AttestationLedger } from "./attestations.ts";
import type { CheckLedger } from "./checks.ts";
import type { LedgerDatabase } from "./database.ts";
import type { DoubtLedger } from "./doubts.ts";
import type { ServedImages } from "./images.ts";
import type { Measured } from "./measured.ts";
import type { PublishedReceipts } from "./receipts.ts";
import type { UserResults } from "./results.ts";
import type { TestLedger } from "./tests.ts";
import type { WeightLedger } from "./weights.ts";

/** The tables that are filled from the log. */
interface Tables {
  readonly results: UserResults;
  readonly checks: CheckLedger;
  readonly tests: TestLedger;
  readonly weights: WeightLedger;
  readonly attestations: AttestationLedger;
  readonly doubts: DoubtLedger;
  readonly receipts: PublishedReceipts;
  readonly images: ServedImages;
}

/** Another one whenever a log that was read has to be read again, such as for a new kind of entry. */
const VERSION = 1;

/**
 * A ledger as what follows from a log that all processes of a validator share: what is measured here
 * waits for it in the outbox, and what comes from it counts as it stands there.
 */
export class Projection {
  readonly #database: LedgerDatabase;
  readonly #tables: Tables;

  constructor(database: LedgerDatabase, tables: Tables) {
    this.#database = database;
    this.#tables = tables;
  }

  /** Of the last entry that was taken over; 0 before the first. */
  get position(): number {
    const row = this.#database.first("SELECT position FROM projection WHERE version = ?", VERSION);
    return Number(row?.position ?? 0);
  }

  /** @param measured undefined for an entry that is not for this ledger. */
  take(position: number, measured: Measured | undefined): void {
    this.#database.atomically(() => {
      if (measured) this.#replace(measured);
      this.#database.run("INSERT OR REPLACE INTO projection VALUES (?, ?)", VERSION, position);
    });
  }

  /** What the log does not have yet, the oldest first. */
  waiting(max: number): { readonly n: number; readonly measured: Measured }[] {
    return this.#database.all("SELECT n, measured FROM outbox ORDER BY n LIMIT ?", max)
      .map(({ n, measured }) => ({ n: Number(n), measured: JSON.parse(String(measured)) }));
  }

  /** @param upTo `n` of the last that the log has. */
  sent(upTo: number): void {
    this.#database.run("DELETE FROM outbox WHERE n <= ?", upTo);
  }

  #replace(measured: Measured): void {
    const { results, checks, tests, weights, doubts, receipts, images } = this.#tables;
    switch (measured.kind) {
      case "answer":
        return results.replace(measured);
      case "check":
        return checks.replace(measured);
      case "test":
        return tests.replace(measured);
      case "weights":
        return weights.replace(measured);
      case "attestation":
        return this.#attest(measured.signed, measured.keep);
      case "doubt":
        return doubts.replace(measured);
      case "receipt":
        return receipts.replace(measured);
      case "image":
        return images.replace(measured);
      default:
        measured satisfies never;
    }
  }

  /** Only the process that got an image knows who made it: the doubt is its to raise. */
  #attest(json: unknown, keep: number): void {
    const signed = decodeAttestation(json);
    const { receipt, verdict } = signed.attestation;
    if (!this.#tables.attestations.take(signed, keep) || verdict === "honest") return;
    this.#tables.doubts.raise(receipt);
  }
}
