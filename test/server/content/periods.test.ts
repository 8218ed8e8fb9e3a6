import { join } from "node:path";
import { expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { Periods } from "../../../server/content/periods.ts";
import { Payouts } from "../../../server/payout/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const DAY = 24 * 3600 * 1000;
const TAO = 1_000_000_000n;
const COLD = openHotkey("44".repeat(32)).address;
const SHARES = [
  { creator: "5Hotkey", share: 500_000_000 },
  { creator: COLD, share: 333_333_333 },
  { creator: "5Operator/ab12", share: 166_666_666 },
];

function opened(path: string, day: number, creators = SHARES) {
  const periods = new Periods(path, {
    earned: () => ({ at: day * DAY, creators }),
    ...{ rao: 10n * TAO, now: () => day * DAY },
  });
  periods.seen(["5Hotkey"]);
  return periods;
}

test("a day's earnings without a hotkey are in the ledger once, killed in between or not", async () => {
  const path = join(await temporaryFolder(), "content.sqlite");
  using payouts = new Payouts(":memory:");
  using first = opened(path, 20_000);
  first.close();
  // Killed after the first credit.
  const killed = { calls: 0 };
  const earn: Payouts["earn"] = (...of) => {
    if (killed.calls++ > 0) throw new Error("killed");
    return payouts.earn(...of);
  };
  const dying = {
    earn,
    hasAddress: (creator: string) => payouts.hasAddress(creator),
    register: (...of: Parameters<Payouts["register"]>) => payouts.register(...of),
  };
  expect(() => first.credit(dying)).toThrow("killed");
  // What was earned since then is of no closed day.
  using again = opened(path, 20_000, [{ creator: COLD, share: 1_000_000_000 }]);
  again.close();
  // 10 TAO x 166,666,666 / 10^9: by hand.
  expect(again.credit(payouts)).toBe(1_666_666_660n);
  expect(again.credit(payouts)).toBe(0n);
  expect(payouts.statement(COLD)).toMatchObject([
    { what: `content 2024-10-03: ${COLD}`, rao: 3_333_333_330n },
  ]);
  expect(payouts.statement("5Hotkey")).toEqual([]);
  // Known by an address, and paid there.
  expect(payouts.preview(1n)).toMatchObject([{ creator: COLD, address: COLD }]);
  using next = opened(path, 20_001, [{ creator: COLD, share: 1_000_000_000 }]);
  next.close();
  expect(next.credit(payouts)).toBe(10n * TAO);
});

test("who was on the chain at any time of a day is not paid for it here as well", () => {
  const clock = { now: 20_000 * DAY };
  using periods = new Periods(":memory:", {
    earned: () => ({ at: clock.now, creators: SHARES }),
    ...{ rao: 10n * TAO, now: () => clock.now },
  });
  periods.seen(["5Hotkey"]);
  // Its hotkey is gone before the day ends.
  clock.now += DAY - 1;
  periods.seen([]);
  clock.now += 1;
  periods.close();
  const paid = () => periods.waiting().at(-1)?.creators.map(({ creator }) => creator);
  expect(paid()).toEqual([COLD, "5Operator/ab12"]);
  // It is off the chain all of the next day.
  clock.now += DAY;
  periods.close();
  expect(paid()).toEqual(["5Hotkey", COLD, "5Operator/ab12"]);
});
