import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rewardOf } from "../../../core/incentive/mod.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { DEFAULT_WINDOWS, Ledger } from "../../../server/validator/ledger/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { receiptId, signWitness } from "../../../core/transcript/mod.ts";
import { scriptProcess } from "../../fixtures/cli.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { replicate } from "../../fixtures/replicated.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";

const SETTLE = new URL("../../fixtures/settle_forever.ts", import.meta.url).pathname;
const HONEST: Score = {
  verdict: "honest",
  similarity: 0.9,
  velocityError: 1e-4,
  worst: 0.1,
  reasons: [],
};
const SUSPECT: Score = {
  ...HONEST,
  verdict: "suspect",
  similarity: 0,
  worst: 9,
  reasons: ["step 3"],
};
const WITHHELD: Score = { ...SUSPECT, verdict: "withheld", reasons: ["not opened"] };
const TEST = { requestsPerSecond: 2, errorRate: 0, requests: 12, carried: 4 };

let now = 0;
let ledger: Ledger;

beforeEach(() => {
  now = 1_000_000;
  ledger = new Ledger(":memory:", () => now);
});
afterEach(() => ledger[Symbol.dispose]());

test("what was never measured is NaN or nothing, and is worth nothing", () => {
  const metrics = ledger.metrics("5A");
  expect(metrics).toMatchObject({ served: 0, failed: 0, cheated: false, checks: 0 });
  expect(metrics.requestsPerSecond).toBeNaN();
  expect(rewardOf(metrics)).toBe(0);
});

test("a result counts once, however often it is recorded", () => {
  expect([ledger.results.served("r1", "5A"), ledger.results.served("r1", "5A")]).toEqual([
    true,
    false,
  ]);
  expect(ledger.results.failed("r1", "5A", "late")).toBe(false);
  expect(ledger.results.failed("r2", "5A", "late")).toBe(true);
  expect(ledger.results.served("r1", "5B")).toBe(true);
  expect(ledger.metrics("5A")).toMatchObject({ served: 1, failed: 1 });
});

test("a test and its checks are one; twice is once", () => {
  const checks = [{ id: "a", hotkey: "5A", source: "synthetic" as const, score: HONEST }];
  expect(ledger.tests.add("5A", { ...TEST, id: "t" }, checks)).toBe(true);
  expect(ledger.tests.add("5A", { ...TEST, id: "t" }, checks)).toBe(false);
  expect(ledger.metrics("5A")).toMatchObject({
    requestsPerSecond: 2,
    errorRate: 0,
    similarity: 0.9,
    checks: 1,
    served: 0,
  });
  expect(ledger.tests.latest()).toEqual(new Map([["5A", now]]));
});

describe("a check of a user's image", () => {
  const check = { id: "r1", hotkey: "5A", source: "user" as const };

  test("that is honest serves the user", () => {
    expect(ledger.checks.settle({ ...check, score: HONEST })).toBe(true);
    expect(ledger.checks.settle({ ...check, score: SUSPECT })).toBe(false);
    expect(ledger.metrics("5A")).toMatchObject({ served: 1, failed: 0, cheated: false });
  });

  test("that is not fails the user, and takes the reward for two days", () => {
    ledger.tests.add("5A", { ...TEST, id: "t" }, [{ ...check, id: "s", score: HONEST }]);
    expect(rewardOf(ledger.metrics("5A"))).toBeGreaterThan(0);
    ledger.checks.settle({ ...check, score: SUSPECT });
    expect(ledger.metrics("5A")).toMatchObject({
      failed: 1,
      cheated: true,
      why: "suspect: step 3",
    });
    expect(rewardOf(ledger.metrics("5A"))).toBe(0);
    now += DEFAULT_WINDOWS.userCheat;
    expect(ledger.metrics("5A").cheated).toBe(false);
  });

  test("whose steps are withheld fails the user, and is no proof of a cheat", () => {
    ledger.checks.settle({ ...check, score: WITHHELD });
    expect(ledger.metrics("5A")).toMatchObject({ failed: 1, cheated: false, similarity: 0 });
  });
});

test("a cheat on a synthetic request weighs half as long", () => {
  ledger.checks.settle({ id: "s", hotkey: "5A", source: "synthetic", score: SUSPECT });
  expect(ledger.metrics("5A")).toMatchObject({ cheated: true, failed: 0 });
  now += DEFAULT_WINDOWS.syntheticCheat;
  expect(ledger.metrics("5A").cheated).toBe(false);
});

test("old results stop counting, and are swept", () => {
  ledger.tests.add("5A", { ...TEST, id: "t" }, []);
  ledger.results.served("r", "5A");
  ledger.weights.add({ block: 1, uids: [0], weights: [1] });
  ledger.weights.add({ block: 2, uids: [0], weights: [2] });
  now += 3 * DEFAULT_WINDOWS.userCheat;
  ledger.sweep();
  expect(ledger.metrics("5A")).toMatchObject({ served: 0, requestsPerSecond: NaN });
  expect(ledger.tests.latest()).toEqual(new Map());
  expect(ledger.weights.last()).toEqual({ block: 2, uids: [0], weights: [2] });
});

test("a check that is in vain is excused: the answer counts as served, once", async () => {
  const receipt = await inventedReceipt(openHotkey(undefined), SMALL_REQUEST);
  ledger.checks.await({
    id: "r",
    hotkey: "5A",
    receipt,
    url: "http://m:1",
    token: "x".repeat(43),
    work: 2,
  });
  ledger.checks.excuse("r", "5A", 2);
  ledger.checks.excuse("r", "5A", 2);
  expect(ledger.checks.pending()).toEqual([]);
  expect(ledger.metrics("5A")).toMatchObject({
    ...{ served: 1, failed: 0, checks: 0 },
    work: { served: 2, failed: 0, refused: 0 },
  });
});

test("a miner is worth the mean of its tests of the last hours, and nothing after them", () => {
  const tested = (id: string, requestsPerSecond: number, errorRate: number) =>
    ledger.tests.add("5A", { ...TEST, id, requestsPerSecond, errorRate }, []);
  tested("good", 3, 0);
  now += DEFAULT_WINDOWS.tests / 2;
  tested("failed", 0, 1);
  expect(ledger.metrics("5A")).toMatchObject({ requestsPerSecond: 1.5, errorRate: 0.5 });
  now += DEFAULT_WINDOWS.tests / 2;
  expect(ledger.metrics("5A")).toMatchObject({ requestsPerSecond: 0, errorRate: 1 });
  now += DEFAULT_WINDOWS.tests / 2;
  expect(ledger.metrics("5A").requestsPerSecond).toBeNaN();
  expect(rewardOf(ledger.metrics("5A"))).toBe(0);
});

test("a Merkle root is new once, until it is swept", () => {
  expect(ledger.roots.add("ab")).toBe(true);
  expect(ledger.roots.add("ab")).toBe(false);
  now += 2 * DEFAULT_WINDOWS.userCheat;
  ledger.sweep();
  expect(ledger.roots.add("ab")).toBe(true);
});

describe("users' work", () => {
  test("that was turned away is neither served nor failed, and counts once", () => {
    expect(ledger.results.refused("r1", "5A", "full", 0.5)).toBe(true);
    expect(ledger.results.served("r1", "5A", 4)).toBe(false);
    ledger.results.served("r2", "5A", 4);
    expect(ledger.metrics("5A")).toMatchObject({
      ...{ served: 1, failed: 0 },
      work: { served: 4, failed: 0, refused: 0.5 },
    });
  });

  test("that somebody quicker did is checked, and not counted", () => {
    const check = { id: "r", hotkey: "5A", source: "user" as const, score: HONEST };
    ledger.checks.settle(check, { work: 4, taken: false });
    expect(ledger.metrics("5A")).toMatchObject({ served: 0, checks: 1 });
  });
});

describe("two processes", () => {
  let one: Ledger;
  let other: Ledger;
  beforeEach(() => {
    [one, other] = [1, 2].map(() => new Ledger(":memory:", () => now, { shared: true }));
  });
  afterEach(() => [one, other].forEach((each) => each[Symbol.dispose]()));

  test("tell each other reasons in a few words, whatever miners put into them", () => {
    for (let k = 0; k < 20; k++) {
      one.results.failed(`r${k}`, "5A", `no field ${"x".repeat(500_000)}`);
    }
    const score = { ...SUSPECT, reasons: ["y".repeat(500_000), "z"] };
    one.checks.settle({ id: "c", hotkey: "5A", source: "user", score });
    const published = one.projection.waiting(100).map(({ measured }) => measured);
    expect(published).toHaveLength(22);
    expect(JSON.stringify(published).length).toBeLessThan(20_000);
    expect(published[0]).toMatchObject({ why: expect.stringMatching(/^no field x+\.\.\.$/) });
  });

  test("agree, however often each result is published", () => {
    one.results.served("r1", "5A");
    one.results.failed("r2", "5A", "late");
    one.checks.settle({ id: "r3", hotkey: "5B", source: "user", score: SUSPECT });
    one.weights.add({ block: 7, uids: [1], weights: [65535] });
    other.tests.add("5A", { ...TEST, id: "t" }, [
      { id: "s", hotkey: "5A", source: "synthetic", score: HONEST },
    ]);
    for (let k = 0; k < 2; k++) {
      replicate(one, other);
      replicate(other, one);
    }
    for (const hotkey of ["5A", "5B"]) {
      expect(other.metrics(hotkey)).toEqual(one.metrics(hotkey));
    }
    expect(other.metrics("5A")).toMatchObject({ served: 1, failed: 1, requestsPerSecond: 2 });
    expect(other.metrics("5B")).toMatchObject({ failed: 1, cheated: true, why: "suspect: step 3" });
    expect(other.weights.last()).toEqual({ block: 7, uids: [1], weights: [65535] });
  });

  test("count a result as the log has it, where both measured it", () => {
    one.checks.settle({ id: "r", hotkey: "5A", source: "user", score: SUSPECT });
    other.checks.settle({ id: "r", hotkey: "5A", source: "user", score: HONEST });
    replicate(one, other);
    expect(other.metrics("5A")).toEqual(one.metrics("5A"));
    expect(other.metrics("5A")).toMatchObject({ cheated: true, checks: 1 });
  });

  test("serve a user whose check a scorer has published already", async () => {
    const receipt = await inventedReceipt(openHotkey(undefined), SMALL_REQUEST);
    const checked = { id: "r", hotkey: "5A", source: "user", score: HONEST } as const;
    one.checks.await({ ...checked, receipt, url: "http://m:1", token: "x".repeat(43), work: 1 });
    other.checks.record(checked);
    replicate(other, one);
    one.checks.settle(checked);
    expect(one.metrics("5A")).toMatchObject({ served: 1, checks: 1 });
    one.checks.settle(checked);
    expect(one.metrics("5A")).toMatchObject({ served: 1, checks: 1 });
  });
});

describe("on disk", () => {
  let folder: string;
  beforeEach(async () => folder = await Deno.makeTempDir());
  afterEach(() => Deno.remove(folder, { recursive: true }));

  test("a check that was begun is there after a restart, with files and witness, until it is settled", async () => {
    const path = join(folder, "l.sqlite");
    const receipt = await inventedReceipt(openHotkey(undefined), SMALL_REQUEST);
    const begun = {
      id: "r",
      hotkey: "5A",
      receipt,
      url: "http://m:1",
      token: "x".repeat(43),
      work: 2,
      witness: await signWitness(
        receiptId(receipt),
        { number: 7, hash: "ab".repeat(32) },
        openHotkey(undefined),
      ),
    };
    const inputs = new Map([["ab".repeat(32), Uint8Array.of(1, 2, 3)]]);
    {
      using first = new Ledger(path);
      first.checks.await(begun, inputs);
      first.checks.await(begun, inputs);
      first.checks.await({ ...begun, hotkey: "5B" }, inputs);
    }
    {
      using second = new Ledger(path);
      expect(second.checks.pending()).toEqual([begun, { ...begun, hotkey: "5B" }]);
      second.checks.settle({ id: "r", hotkey: "5A", source: "user", score: HONEST });
      // Another miner's answer to the same request may still have to be checked.
      expect(second.checks.inputsOf("r")).toEqual(inputs);
      second.checks.settle({ id: "r", hotkey: "5B", source: "user", score: HONEST });
      expect(second.checks.inputsOf("r")).toEqual(new Map());
    }
    using third = new Ledger(path);
    expect(third.checks.pending()).toEqual([]);
    expect(third.metrics("5A")).toMatchObject({ served: 1, checks: 1 });
  });

  test("kill -9 at any moment loses no settled result and halves none", async () => {
    const path = join(folder, "l.sqlite");
    let printed = -1;
    for (let kill = 0; kill < 3; kill++) {
      const child = scriptProcess(SETTLE, [path, String(printed + 1)], {
        ...{ stdout: "piped", stderr: "inherit" },
      }).spawn();
      const more = 50 + 37 * kill;
      const goal = printed + more;
      let text = "";
      for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
        text += part;
        const whole = text.slice(0, text.lastIndexOf("\n"));
        const newest = Number(whole.split("\n").at(-1));
        if (newest > printed) printed = newest;
        if (printed >= goal) {
          try {
            child.kill("SIGKILL");
          } catch {
            // It is dead already.
          }
        }
      }
      await child.status;
      expect(printed).toBeGreaterThanOrEqual(goal);
      using after = new Ledger(path);
      const { checks, failed } = after.metrics("5A");
      // Each check comes with its answer, and one may have been settled without being printed.
      expect(checks).toBe(failed);
      expect(checks - (printed + 1)).toBeOneOf([0, 1]);
    }
  });
});

describe("metrics that everybody asks for", () => {
  test("are derived once while there is nothing new, and at once when there is", () => {
    let reads = 0;
    let now = 1_000_000;
    const ledger = new Ledger(":memory:", () => {
      reads++;
      return now;
    });
    const derive = () => {
      const before = reads;
      ledger.metrics("5M");
      return reads - before;
    };
    const whole = derive();
    expect(derive()).toBeLessThan(whole);
    ledger.results.served("r1", "5M");
    expect(ledger.metrics("5M").served).toBe(1);
    // Of another miner: this one's stay.
    ledger.results.served("r2", "5Other");
    expect(derive()).toBeLessThan(whole);
    now += 11_000;
    expect(derive()).toBe(whole);
  });

  test("hear within seconds of what another process recorded", async () => {
    const path = join(await temporaryFolder(), "ledger.sqlite");
    let now = 1_000_000;
    using own = new Ledger(path, () => now);
    using other = new Ledger(path, () => now);
    expect(own.metrics("5M").served).toBe(0);
    other.results.served("r1", "5M");
    now += 11_000;
    expect(own.metrics("5M").served).toBe(1);
  });
});
