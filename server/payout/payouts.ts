import { AppError } from "../../core/error.ts";
import type { SignedTransfers, Transfer, TransfersOutcome } from "../chain/mod.ts";
import { ACCOUNTS, Books, type Row, rowsOf } from "./books.ts";

/** What payouts need of a chain; the key that signs is the chain's own matter. */
export interface PayoutChain {
  sign(transfers: readonly Transfer[]): Promise<SignedTransfers>;
  send(signed: SignedTransfers): Promise<void>;
  outcome(signed: SignedTransfers): Promise<TransfersOutcome>;
}

/** rao that a creator is owed, and where they go. */
export interface Due {
  readonly creator: string;
  readonly address: string;
  readonly rao: bigint;
}

export interface Payment extends Due {
  readonly id: number;
  readonly state: "approved" | "sending" | "paid" | "refused";
  /** Of the transaction that pays it. */
  readonly hash: string | undefined;
}

/** One line of a creator's statement. */
export interface StatementLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: string;
  readonly rao: bigint;
  /** After it. */
  readonly balance: bigint;
}

/** Batches that no block took, one after the other, until sending is given up. */
const MAX_VOIDS = 3;
/** Payments in one transaction. */
const MAX_BATCH = 100;

/**
 * What creators without a hotkey have earned, and its way to their addresses. Money is never sent twice: a
 * transaction is signed and kept before it is sent; after a crash the same bytes are sent again, or found
 * in the chain's final blocks by their hash.
 */
export class Payouts implements Disposable {
  readonly #books: Books;

  /** @throws AppError `storage_failed`. */
  constructor(path: string, now?: () => number) {
    this.#books = new Books(path, now);
  }

  /** Where a creator is paid from now on. @param address SS58, checked by the caller. */
  register(creator: string, address: string, who: string): void {
    this.#books.atomically(() => {
      this.#books.database.prepare(
        "INSERT INTO creators VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET address = excluded.address",
      ).run(creator, address);
      this.#books.note(who, `${creator} is paid at ${address}`);
    });
  }

  /** Whether it is said where a creator is paid. */
  hasAddress(creator: string): boolean {
    return this.#rows("SELECT 1 FROM creators WHERE name = ?", creator).length > 0;
  }

  /**
   * Credits what somebody earned, once by its name.
   * @param what such as `epoch 7`. @returns whether it is new.
   */
  earn(creator: string, rao: bigint, what: string): boolean {
    if (rao <= 0n) {
      throw new AppError("invalid_request", `Cannot credit ${creator}: ${rao} rao is not above 0`);
    }
    return this.#books.atomically(() =>
      this.#books.book(`${what}: ${creator}`, [
        { account: ACCOUNTS.rewards, rao: -rao },
        { account: accountOf(creator), rao },
      ])
    );
  }

  /** Who would be paid: creators with an address and with so much at least. */
  preview(least: bigint): Due[] {
    const balances = this.#books.balances();
    return this.#rows("SELECT name, address FROM creators ORDER BY name")
      .map(({ name, address }) => ({
        ...{ creator: String(name), address: String(address) },
        rao: balances.get(accountOf(String(name))) ?? 0n,
      }))
      .filter(({ rao }) => rao >= least && rao > 0n);
  }

  /**
   * Sets what is due aside for sending.
   * @param below approves only what is at most so much: what a machine may approve. @returns what was approved.
   */
  approve(least: bigint, who: string, below?: bigint): Due[] {
    return this.#books.atomically(() => {
      const due = this.preview(least).filter(({ rao }) => below === undefined || rao <= below);
      for (const each of due) this.#approve(each, who);
      return due;
    });
  }

  #approve({ creator, address, rao }: Due, who: string): void {
    const { lastInsertRowid: id } = this.#books.database.prepare(
      "INSERT INTO payments (creator, address, rao, state) VALUES (?, ?, ?, 'approved')",
    ).run(creator, address, rao);
    this.#books.book(`payment ${id}`, [
      { account: accountOf(creator), rao: -rao },
      { account: ACCOUNTS.transit, rao },
    ]);
    this.#books.note(who, `approved payment ${id}: ${rao} rao to ${creator} at ${address}`);
  }

  /**
   * Sends all that is approved, and first what a crash left open. A batch that the chain refuses is
   * not sent again by itself.
   * @returns what was settled now.
   */
  async send(chain: PayoutChain): Promise<TransfersOutcome[]> {
    const outcomes: TransfersOutcome[] = [];
    for (let voids = 0; voids < MAX_VOIDS;) {
      const open = this.#openBatch() ?? await this.#begin(chain);
      if (!open) return outcomes;
      const refusal = await refusalOf(() => chain.send(open.signed));
      // A node's refusal is not the chain's: another may have taken it. The blocks tell.
      const outcome = await chain.outcome(open.signed);
      this.#settle(open.id, outcome);
      outcomes.push(outcome);
      if (outcome.state === "void") voids++;
      if (outcome.state === "void" && refusal) throw refusal;
    }
    throw new AppError(
      "chain_refused",
      `Cannot send: ${MAX_VOIDS} batches were in no block until they were void; let no other ` +
        "program sign with this coldkey meanwhile",
    );
  }

  /** Lets a payment that the chain refused be sent again. @returns whether it was refused. */
  retry(id: number, who: string): boolean {
    return this.#books.atomically(() => {
      const { changes } = this.#books.database.prepare(
        "UPDATE payments SET state = 'approved', batch = NULL WHERE id = ? AND state = 'refused'",
      ).run(id);
      if (changes) this.#books.note(who, `payment ${id} is to be sent again`);
      return changes === 1;
    });
  }

  /** The intent: in the books before the chain can know of it. */
  async #begin(chain: PayoutChain) {
    const next = this.payments("approved").slice(0, MAX_BATCH);
    if (next.length === 0) return undefined;
    const signed = await chain.sign(next.map(({ address, rao }) => ({ to: address, rao })));
    return this.#books.atomically(() => {
      const { lastInsertRowid } = this.#books.database.prepare(
        "INSERT INTO batches (signed, hash, state) VALUES (?, ?, 'sending')",
      ).run(JSON.stringify(signed), signed.hash);
      const id = Number(lastInsertRowid);
      const move = this.#books.database.prepare(
        "UPDATE payments SET state = 'sending', batch = ? WHERE id = ? AND state = 'approved'",
      );
      for (const payment of next) {
        if (move.run(id, payment.id).changes === 1) continue;
        // Another process was faster.
        throw new AppError("storage_failed", `Cannot send payment ${payment.id}: it is taken`);
      }
      this.#books.note("payout", `batch ${id}: ${next.length} payments in ${signed.hash}`);
      return { id, signed };
    });
  }

  #openBatch(): { readonly id: number; readonly signed: SignedTransfers } | undefined {
    const [row] = this.#rows("SELECT id, signed FROM batches WHERE state = 'sending'");
    return row && { id: Number(row.id), signed: JSON.parse(String(row.signed)) };
  }

  #settle(batch: number, outcome: TransfersOutcome): void {
    this.#books.atomically(() => {
      const open = this.#rows("SELECT 1 FROM batches WHERE id = ? AND state = 'sending'", batch);
      if (open.length === 0) return;
      const block = outcome.state === "void" ? null : outcome.block;
      this.#books.database.prepare("UPDATE batches SET state = ?, block = ? WHERE id = ?")
        .run(outcome.state, block, batch);
      // What no block can take any more is as it was before it was signed.
      const [state, of] = outcome.state === "void"
        ? ["approved", null] as const
        : [outcome.state, batch] as const;
      const paid = this.#rows("SELECT id, rao FROM payments WHERE batch = ?", batch);
      this.#books.database.prepare("UPDATE payments SET state = ?, batch = ? WHERE batch = ?")
        .run(state, of, batch);
      if (outcome.state === "paid") this.#bookPaid(paid);
      const why = outcome.state === "refused" ? `: ${outcome.why}` : "";
      this.#books.note("payout", `batch ${batch} is ${outcome.state}${why}`);
    });
  }

  #bookPaid(payments: readonly Row[]): void {
    for (const { id, rao } of payments) {
      this.#books.book(`payment ${id} paid`, [
        { account: ACCOUNTS.transit, rao: -BigInt(rao as bigint) },
        { account: ACCOUNTS.paid, rao: BigInt(rao as bigint) },
      ]);
    }
  }

  payments(state?: Payment["state"]): Payment[] {
    const rows = this.#rows(
      `SELECT payments.*, batches.hash FROM payments LEFT JOIN batches ON batches.id = batch
       WHERE ? IN ('', payments.state) ORDER BY payments.id`,
      state ?? "",
    );
    return rows.map((row) => ({
      ...{ id: Number(row.id), creator: String(row.creator), address: String(row.address) },
      ...{ rao: BigInt(row.rao as bigint), state: row.state as Payment["state"] },
      hash: row.hash === null ? undefined : String(row.hash),
    }));
  }

  statement(creator: string): StatementLine[] {
    let balance = 0n;
    return this.#rows(
      `SELECT at, what, rao FROM sides JOIN bookings ON bookings.id = booking
       WHERE account = ? ORDER BY booking`,
      accountOf(creator),
    ).map(({ at, what, rao }) => {
      balance += BigInt(rao as bigint);
      return { at: Number(at), what: String(what), rao: BigInt(rao as bigint), balance };
    });
  }

  /** Who did what, in order. */
  trail(): { readonly at: number; readonly who: string; readonly what: string }[] {
    return this.#rows("SELECT at, who, what FROM trail ORDER BY id")
      .map(({ at, who, what }) => ({ at: Number(at), who: String(who), what: String(what) }));
  }

  balance(account: keyof typeof ACCOUNTS): bigint {
    return this.#books.balance(ACCOUNTS[account]);
  }

  #rows(sql: string, ...values: (string | number | bigint)[]): Row[] {
    return rowsOf(this.#books.database, sql, ...values);
  }

  [Symbol.dispose](): void {
    this.#books[Symbol.dispose]();
  }
}

async function refusalOf(send: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await send();
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "chain_refused") return error;
    throw error;
  }
}

function accountOf(creator: string): string {
  return `creator:${creator}`;
}
