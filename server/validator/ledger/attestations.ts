import type { SignedAttestation } from "../../../core/protocol/mod.ts";
import type { LedgerDatabase } from "./database.ts";

/** Attestations: each checker's newest of a receipt, by the time signed. */
export class AttestationLedger {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /**
   * @param keep how many are kept, of all receipts together.
   * @returns false for one that is not newer than its checker's last.
   */
  add(signed: SignedAttestation, keep: number): boolean {
    const { receipt, checker, at } = signed.attestation;
    const measured = { kind: "attestation", signed, receipt, checker, keep, at } as const;
    return this.#database.record(measured, () => this.take(signed, keep));
  }

  /** Of the log of all processes, or to be published. */
  take(signed: SignedAttestation, keep: number): boolean {
    const { receipt, checker, at } = signed.attestation;
    return this.#database.atomically(() => {
      const isNew = this.#database.run(
        "INSERT INTO attestations VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE " +
          "SET entry = excluded.entry, at = excluded.at WHERE excluded.at > attestations.at",
        ...[receipt, checker, JSON.stringify(signed), at],
      ) > 0;
      this.#database.run(
        "DELETE FROM attestations WHERE at < (SELECT MIN(at) FROM " +
          "(SELECT at FROM attestations ORDER BY at DESC LIMIT ?))",
        keep,
      );
      return isNew;
    });
  }

  /** Of one receipt, or of all; the newest first. */
  list(receipt: string | undefined, max: number): unknown[] {
    const rows = receipt === undefined
      ? this.#database.all("SELECT entry FROM attestations ORDER BY at DESC LIMIT ?", max)
      : this.#database.all(
        "SELECT entry FROM attestations WHERE receipt = ? ORDER BY at DESC LIMIT ?",
        ...[receipt, max],
      );
    return rows.map(({ entry }) => JSON.parse(String(entry)));
  }
}
