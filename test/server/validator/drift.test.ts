import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rewardOf } from "../../../core/incentive/mod.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { DriftWatch } from "../../../server/validator/drift_watch.ts";
import { DEFAULT_WINDOWS, Ledger } from "../../../server/validator/ledger/mod.ts";
import { replicate } from "../../fixtures/replicated.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const LOAD = { requestsPerSecond: 2, errorRate: 0, requests: 12, carried: 4 };
const RECEIPT = "ab".repeat(32);
let now = 0;
let ledger: Ledger;

beforeEach(() => {
  now = 1_000_000;
  ledger = new Ledger(":memory:", () => now, { shared: true });
});
afterEach(() => ledger[Symbol.dispose]());

/** A check that passes, with so many nats against honesty. */
function scored(gain: number): Score {
  return {
    ...{ verdict: "honest", similarity: 1, velocityError: 1e-4, worst: 0.5, reasons: [] },
    ratios: [0.5, 0.4, 0.3],
    drift: { gain, backend: "chrome" },
  };
}

function check(gain: number, count: number, into = ledger): void {
  for (let k = 0; k < count; k++) {
    const id = crypto.randomUUID();
    into.checks.settle({ id, hotkey: "5A", source: "synthetic", score: scored(gain) });
    now++;
  }
}

describe("a miner whose checks pass, and together are further off than honest ones", () => {
  test("drifts, and keeps its reward", () => {
    ledger.tests.add("5A", { ...LOAD, id: "t" }, []);
    check(0, 30);
    expect(ledger.metrics("5A")).toMatchObject({ drifting: false });
    check(2, 20);
    const metrics = ledger.metrics("5A");
    expect(metrics).toMatchObject({ drifting: true, drift: 1, cheated: false });
    expect(rewardOf(metrics)).toBeGreaterThan(0);
    expect(ledger.wantsRetest("5A")).toBe(true);
    expect(ledger.wantsRetest("5B")).toBe(false);
  });

  test("drifts no longer once newer checks are honest", () => {
    check(2, 20);
    check(-0.5, 5);
    expect(ledger.metrics("5A").drifting).toBe(true);
    check(-1, 20);
    expect(ledger.metrics("5A")).toMatchObject({ drifting: false, drift: 0 });
  });

  test("drifts still when its checks are old", () => {
    check(2, 20);
    now += 2 * DEFAULT_WINDOWS.userCheat;
    ledger.sweep();
    expect(ledger.metrics("5A").drifting).toBe(true);
  });

  test("drifts for other processes of the validator as well", () => {
    check(2, 20);
    using other = new Ledger(":memory:", () => now);
    replicate(ledger, other);
    replicate(ledger, other);
    expect(other.metrics("5A")).toMatchObject({ drifting: true, checks: 20 });
  });

  test("is said in the log when it begins and when it ends, once", () => {
    const events: string[] = [];
    const watch = new DriftWatch(ledger, (event) => events.push(event));
    const look = () => watch.look([{ uid: 7, hotkey: "5A", url: "http://a" }]);
    look();
    check(2, 20);
    look();
    look();
    check(-1, 30);
    look();
    expect(events).toEqual(["drifting", "no longer drifting"]);
  });
});

test("of many old checks a hundred are kept, and newer ones all", () => {
  check(0, 150);
  now += 2 * DEFAULT_WINDOWS.userCheat;
  check(0, 20);
  ledger.sweep();
  using other = new Ledger(":memory:", () => now);
  check(2, 20, other);
  replicate(ledger, other);
  // Those of before come first, whenever they are taken over.
  expect(other.metrics("5A").drifting).toBe(true);
});

test("a ledger of before is read on, and keeps steps from now on", async () => {
  const path = join(await temporaryFolder(), "ledger.sqlite");
  // As 0.1 made it.
  const before = new DatabaseSync(path);
  before.exec(`
    CREATE TABLE checks
      (id TEXT, hotkey TEXT, source TEXT NOT NULL, verdict TEXT NOT NULL, similarity REAL NOT NULL,
       error REAL, worst REAL, why TEXT, at INTEGER NOT NULL,
       PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
    INSERT INTO checks VALUES ('a', '5A', 'user', 'honest', 1, 1e-4, 0.5, NULL, 999999);
  `);
  before.close();
  using opened = new Ledger(path, () => now);
  check(2, 20, opened);
  expect(opened.metrics("5A")).toMatchObject({ checks: 21, drifting: true });
});

describe("an image that somebody calls suspect", () => {
  test("has its miner checked again, once", () => {
    ledger.doubts.made(RECEIPT, "5A");
    expect(ledger.wantsRetest("5A")).toBe(false);
    expect(ledger.doubts.raise(RECEIPT)).toBe("5A");
    expect(ledger.wantsRetest("5A")).toBe(true);
    now++;
    check(0, 1);
    now++;
    expect(ledger.wantsRetest("5A")).toBe(false);
  });

  test("and that was not got here is nobody's", () => {
    expect(ledger.doubts.raise("cd".repeat(32))).toBeUndefined();
  });
});
