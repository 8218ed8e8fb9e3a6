import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SignedTransfers, Transfer, TransfersOutcome } from "../../../server/chain/mod.ts";
import { formatTao, parseTao } from "../../../server/payout/amount.ts";
import { type PayoutChain, Payouts } from "../../../server/payout/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** A chain as far as payouts see it: takes each transaction once, by its hash, within its era. */
class FakeChain implements PayoutChain {
  block = 100;
  nonce = 0;
  readonly paid = new Map<string, bigint>();
  readonly taken = new Map<string, TransfersOutcome>();
  readonly #calls = new Map<string, readonly Transfer[]>();
  /** What the next ones come to. */
  refuses = false;
  loses = false;

  sign(transfers: readonly Transfer[]): Promise<SignedTransfers> {
    const hash = `0x${this.nonce}-${this.block}-${transfers.map(({ rao }) => rao).join()}`;
    this.#calls.set(hash, transfers);
    const [after, until] = [this.block, this.block + 64];
    return Promise.resolve({
      hex: hash,
      hash,
      nonce: this.nonce,
      from: "treasury",
      genesis: "0x00",
      after,
      until,
    });
  }

  send({ hash, nonce, until }: SignedTransfers): Promise<void> {
    this.block++;
    if (this.loses || this.taken.has(hash) || nonce !== this.nonce || this.block > until) {
      return Promise.resolve();
    }
    this.nonce++;
    if (this.refuses) {
      this.taken.set(hash, { state: "refused", block: this.block, why: "FundsUnavailable" });
      return Promise.resolve();
    }
    this.taken.set(hash, { state: "paid", block: this.block });
    for (const { to, rao } of this.#calls.get(hash) ?? []) {
      this.paid.set(to, (this.paid.get(to) ?? 0n) + rao);
    }
    return Promise.resolve();
  }

  outcome({ hash, until }: SignedTransfers): Promise<TransfersOutcome> {
    const known = this.taken.get(hash);
    if (!known) this.block = Math.max(this.block, until + 1);
    return Promise.resolve(known ?? { state: "void" });
  }
}

function books(path = ":memory:"): Payouts {
  const payouts = new Payouts(path, () => 1_700_000_000_000);
  payouts.register("mara", "5Mara", "test");
  payouts.register("noor", "5Noor", "test");
  return payouts;
}

test("what was earned is due, once by its name, and of creators with an address alone", () => {
  using payouts = books();
  expect(payouts.earn("mara", 7n, "epoch 1")).toBe(true);
  expect(payouts.earn("mara", 7n, "epoch 1")).toBe(false);
  payouts.earn("mara", 2n ** 60n, "epoch 2");
  payouts.earn("nobody", 5n, "epoch 1");
  expect(payouts.preview(1n)).toEqual([
    { creator: "mara", address: "5Mara", rao: 2n ** 60n + 7n },
  ]);
  expect(payouts.preview(2n ** 61n)).toEqual([]);
  expect(thrownBy(() => payouts.earn("mara", 0n, "nothing"))).toMatchObject({
    code: "invalid_request",
  });
});

test("a payment goes from approval to a block, and the statement says so", async () => {
  using payouts = books();
  const chain = new FakeChain();
  payouts.earn("mara", 10n, "epoch 1");
  payouts.earn("noor", 4n, "epoch 1");
  expect(payouts.approve(5n, "operator")).toHaveLength(1);
  expect(payouts.balance("transit")).toBe(10n);
  expect(await payouts.send(chain)).toEqual([{ state: "paid", block: 101 }]);
  expect([...chain.paid]).toEqual([["5Mara", 10n]]);
  expect([payouts.balance("transit"), payouts.balance("paid")]).toEqual([0n, 10n]);
  expect(payouts.statement("mara").map(({ what, rao, balance }) => [what, rao, balance])).toEqual([
    ["epoch 1: mara", 10n, 10n],
    ["payment 1", -10n, 0n],
  ]);
  expect(await payouts.send(chain)).toEqual([]);
});

test("a limit approves what is below it, and leaves the rest to the operator", () => {
  using payouts = books();
  payouts.earn("mara", 100n, "epoch 1");
  payouts.earn("noor", 4n, "epoch 1");
  expect(payouts.approve(1n, "limit", 50n).map(({ creator }) => creator)).toEqual(["noor"]);
  expect(payouts.preview(1n).map(({ creator }) => creator)).toEqual(["mara"]);
});

test("what no block took is sent anew; after three such batches it is given up", async () => {
  using payouts = books();
  const chain = new FakeChain();
  payouts.earn("mara", 10n, "epoch 1");
  payouts.approve(1n, "operator");
  chain.loses = true;
  expect(await rejection(payouts.send(chain))).toMatchObject({ code: "chain_refused" });
  expect(payouts.payments().map(({ state }) => state)).toEqual(["approved"]);
  chain.loses = false;
  expect(await payouts.send(chain)).toMatchObject([{ state: "paid" }]);
  expect(chain.paid.get("5Mara")).toBe(10n);
});

test("what the chain refuses is sent again only when somebody says so", async () => {
  using payouts = books();
  const chain = new FakeChain();
  payouts.earn("mara", 10n, "epoch 1");
  payouts.approve(1n, "operator");
  chain.refuses = true;
  expect(await payouts.send(chain)).toMatchObject([{ state: "refused" }]);
  chain.refuses = false;
  expect(await payouts.send(chain)).toEqual([]);
  expect([payouts.retry(1, "operator"), payouts.retry(1, "operator")]).toEqual([true, false]);
  expect(await payouts.send(chain)).toMatchObject([{ state: "paid" }]);
  expect(payouts.trail().map(({ what }) => what)).toContain(
    "batch 1 is refused: FundsUnavailable",
  );
});

test("what is booked cannot be changed, by no statement", async () => {
  const path = join(await temporaryFolder(), "payouts.sqlite");
  books(path)[Symbol.dispose]();
  using payouts = books(path);
  payouts.earn("mara", 10n, "epoch 1");
  const { DatabaseSync } = await import("node:sqlite");
  using raw = new DatabaseSync(path) as InstanceType<typeof DatabaseSync> & Disposable;
  for (const change of ["UPDATE sides SET rao = 99", "DELETE FROM bookings", "DELETE FROM trail"]) {
    expect(thrownBy(() => raw.exec(change))).toMatchObject({ message: "what is booked stays" });
  }
});

/** The process ends here. */
class Killed extends Error {}

/** A chain whose program is killed at its n-th step: before what it does, or right after. */
function killedAt(chain: FakeChain, step: number): PayoutChain {
  let steps = 0;
  const mortal =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (steps++ === step) throw new Killed();
      const result = await call(...args);
      if (steps++ === step) throw new Killed();
      return result;
    };
  return {
    sign: mortal((transfers: readonly Transfer[]) => chain.sign(transfers)),
    send: mortal((signed: SignedTransfers) => chain.send(signed)),
    outcome: mortal((signed: SignedTransfers) => chain.outcome(signed)),
  };
}

describe("a program that is killed again and again", () => {
  // A process that ends leaves its database as its last commit left it: it is opened anew each time.
  test("pays each creator what was earned, once, whenever it is killed", async () => {
    const path = join(await temporaryFolder(), "payouts.sqlite");
    const chain = new FakeChain();
    let [kills, earned] = [0, 0n];
    for (let round = 0; round < 40; round++) {
      for (let step = 0; step < 7; step++) {
        using payouts = books(path);
        // The program may credit the same epoch again after a kill.
        const what = `round ${round}`;
        const rao = BigInt(1000 * round + 1);
        if (payouts.earn("mara", rao, what)) earned += rao;
        payouts.approve(1n, "operator");
        chain.loses = (round + step) % 11 === 0;
        try {
          await payouts.send(killedAt(chain, step));
        } catch (error) {
          if (!(error instanceof Killed)) expect(error).toMatchObject({ code: "chain_refused" });
          kills++;
        }
      }
    }
    using payouts = books(path);
    chain.loses = false;
    await payouts.send(chain);
    expect(kills).toBeGreaterThan(100);
    expect(chain.paid.get("5Mara")).toBe(earned);
    expect([payouts.balance("paid"), payouts.balance("transit"), payouts.balance("rewards")])
      .toEqual([earned, 0n, -earned]);
  });
});

describe("amounts of TAO", () => {
  test.each([["1", 10n ** 9n], ["0.000000001", 1n], ["21000000", 21n * 10n ** 15n], [
    "9007199.254740993",
    9007199254740993n,
  ]])("%s is exact, and written as it was read", (text, rao) => {
    expect(parseTao(text, "it")).toBe(rao);
    expect(formatTao(rao)).toBe(text);
  });

  test.each(["", "-1", "1e9", "1.0000000001", "0x1", "1,5", "123456789"])("%j is none", (text) => {
    expect(thrownBy(() => parseTao(text, "--least"))).toMatchObject({
      message: `Cannot read --least: ${JSON.stringify(text)} is no amount of TAO, such as 12.5`,
    });
  });
});
