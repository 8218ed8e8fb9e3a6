import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { mount } from "../../../server/http/mod.ts";
import { historyRoute } from "../../../server/validator/history_route.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";

const HOUR = 3_600_000;
const START = 500_000 * HOUR;

test("a validator's history has the hours in which something happened, anew every minute", async () => {
  let now = START;
  const ledger = new Ledger(":memory:", () => now);
  onTestFinished(() => ledger[Symbol.dispose]());
  const app = new Hono();
  mount(app, [historyRoute(ledger, () => now)]);
  const history = async () => await (await app.request("/v1/history")).json();
  ledger.results.served("long ago", "5Miner");
  now += 49 * HOUR;
  ledger.results.served("a", "5Miner");
  ledger.results.failed("b", "5Miner", "late");
  now += HOUR;
  ledger.results.served("c", "5Miner");
  ledger.results.served("d", "5Other");
  ledger.weights.add({ block: 7, uids: [1, 2], weights: [3, 1] });
  const none = { checks: 0, failedChecks: 0, similarity: null };
  const first = {
    hours: [
      { at: START + 49 * HOUR, images: 1, ...none },
      { at: START + 50 * HOUR, images: 2, ...none },
    ],
    weights: [{ block: 7, at: START + 50 * HOUR, uids: [1, 2], weights: [3, 1] }],
  };
  expect(await history()).toEqual(first);
  ledger.results.served("e", "5Miner");
  // It is not computed for every reader.
  expect(await history()).toEqual(first);
  now += 60_000;
  expect((await history()).hours[1].images).toBe(3);
});
