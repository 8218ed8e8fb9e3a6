import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { type Score, TRANSCRIPT_SECONDS } from "../../../core/protocol/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import { type Cluster, openLocalCluster } from "../../../server/cluster/mod.ts";
import { encodeCheck, scoreSubject } from "../../../server/validator/check_messages.ts";
import { CheckWorker } from "../../../server/validator/check_worker.ts";
import { clusterScorer } from "../../../server/validator/cluster_scorer.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import type { AnswerToScore, Scorer } from "../../../server/validator/scorer.ts";
import { SharedResults } from "../../../server/validator/shared_results.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const KIND = "checks_5V_abc";
const SCORE = { similarity: 1, velocityError: 0, worst: 0, reasons: [] };
const HONEST: Score = { ...SCORE, verdict: "honest" };
const SUSPECT: Score = { ...SCORE, verdict: "suspect", reasons: ["step 3"] };
const FILE = { sha256: "ab".repeat(32), bytes: Uint8Array.of(1, 2, 3) };

let cluster: Cluster;
let receipt: Receipt;
let asked: AnswerToScore;
beforeEach(async () => {
  cluster = await openLocalCluster(join(await temporaryFolder(), "cluster"), { silenceMs: 200 });
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  receipt = await inventedReceipt(openHotkey("1".repeat(64)), {
    ...SMALL_REQUEST,
    ...{ image: FILE.sha256, strength: 0.5 },
  });
  asked = {
    ...{ receipt, url: "http://miner:1", token: "t".repeat(43) },
    inputs: new Map([[FILE.sha256, FILE.bytes]]),
    answered: { id: "r1", hotkey: "5A", work: 2 },
  };
});

async function scorer(score: Scorer): Promise<void> {
  const parts = { cluster, kind: KIND, of: "5V", scorer: score, log: () => {}, beatMs: 50 };
  const worker = await CheckWorker.start(parts);
  onTestFinished(() => worker[Symbol.asyncDispose]());
}

async function measured(): Promise<Ledger> {
  const ledger = new Ledger(":memory:");
  const shared = await SharedResults.open({ cluster, ledger, of: "5V", log: () => {} });
  onTestFinished(async () => {
    await shared[Symbol.asyncDispose]();
    ledger[Symbol.dispose]();
  });
  return ledger;
}

test("a scorer that is free makes a check, with the request's files, and what comes of it is kept", async () => {
  const seen: AnswerToScore[] = [];
  await scorer((answer) => (seen.push(answer), Promise.resolve(SUSPECT)));
  const score = await clusterScorer(cluster, KIND);
  expect(await score(asked)).toEqual(SUSPECT);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ receipt, url: asked.url, token: asked.token });
  expect(seen[0].inputs?.get(FILE.sha256)).toEqual(FILE.bytes);
  // Nobody has settled it: who asked may be dead by now.
  expect((await measured()).metrics("5A")).toMatchObject({
    ...{ failed: 1, work: { failed: 2 }, cheated: true, why: "suspect: step 3" },
  });
});

test("an outcome that was not heard is there when it is asked for again, and not made again", async () => {
  let made = 0;
  await scorer(() => (made++, Promise.resolve(HONEST)));
  await (await clusterScorer(cluster, KIND))(asked);
  expect(await (await clusterScorer(cluster, KIND))(asked)).toEqual(HONEST);
  expect(made).toBe(1);
});

test("what a scorer cannot make another does; what none can is not the miner's fault", async () => {
  let tries = 0;
  await scorer(() => ++tries < 3 ? Promise.reject(new Error("no GPU")) : Promise.resolve(HONEST));
  const score = await clusterScorer(cluster, KIND);
  expect(await score(asked)).toEqual(HONEST);
  tries = -100;
  const error = await rejection(score({ ...asked, answered: { id: "r2", hotkey: "5A", work: 2 } }));
  expect(error).toMatchObject({ code: "host_unavailable", message: "Cannot check: no GPU" });
  expect((await measured()).metrics("5A")).toMatchObject({ failed: 0, checks: 1 });
});

test("a check that waited for longer than miners keep steps is nobody's fault, and is not made", async () => {
  const since = Date.now() - 1000 * TRANSCRIPT_SECONDS - 1;
  await cluster.work.add(KIND, "late", encodeCheck(asked, since));
  const heard = Promise.withResolvers<string>();
  const hear = (bytes: Uint8Array) => heard.resolve(new TextDecoder().decode(bytes));
  using _ = await cluster.bus.listen(scoreSubject("late"), hear);
  let made = 0;
  await scorer(() => (made++, Promise.resolve(SUSPECT)));
  expect(JSON.parse(await heard.promise)).toEqual({ failed: "its steps are no longer there" });
  expect(made).toBe(0);
  expect((await measured()).metrics("5A")).toMatchObject({ failed: 0, checks: 0 });
});

test("a test's check is its leader's to keep, and a wait without scorers ends", async () => {
  const { answered: _, ...synthetic } = asked;
  const waiting = await clusterScorer(cluster, KIND, 20);
  expect(await rejection(waiting(synthetic))).toMatchObject({ code: "host_unavailable" });
  await scorer(() => Promise.resolve(HONEST));
  expect(await (await clusterScorer(cluster, KIND))(synthetic)).toEqual(HONEST);
  expect((await measured()).metrics("5A")).toMatchObject({ checks: 0 });
});
