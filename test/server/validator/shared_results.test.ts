import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { type Cluster, openLocalCluster } from "../../../server/cluster/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { SharedResults } from "../../../server/validator/shared_results.ts";
import { until } from "../../fixtures/processes.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const HONEST: Score = {
  ...{ verdict: "honest", similarity: 0.9, velocityError: 1e-4, worst: 0.1, reasons: [] },
  ...{ ratios: [0.5, 0.4], drift: { gain: 1, backend: "chrome" } },
};
const TEST = { requestsPerSecond: 2, errorRate: 0, requests: 12, carried: 4 };
const HOTKEYS = ["5A", "5B", "5C"];

async function cluster(): Promise<Cluster> {
  const opened = await openLocalCluster(await temporaryFolder());
  onTestFinished(() => opened[Symbol.asyncDispose]());
  return opened;
}

interface Member {
  readonly ledger: Ledger;
  readonly shared: SharedResults;
  readonly events: string[];
}

async function member(
  joined: Pick<Cluster, "results">,
  path = ":memory:",
  of = "5Validator",
): Promise<Member> {
  const ledger = new Ledger(path, Date.now, { shared: true });
  const events: string[] = [];
  const log = (event: string) => void events.push(event);
  const shared = await SharedResults.open({ cluster: joined, ledger, of, log });
  onTestFinished(async () => {
    await shared[Symbol.asyncDispose]();
    ledger[Symbol.dispose]();
  });
  return { ledger, shared, events };
}

function measure({ ledger }: Member, name: string): void {
  for (let k = 0; k < 60; k++) {
    const [id, hotkey] = [`${name}${k}`, HOTKEYS[k % 3]];
    ledger.results.served(id, hotkey, 1 + k % 4);
    ledger.checks.settle({ id: `c${id}`, hotkey, source: "synthetic", score: HONEST });
  }
  ledger.results.failed(`${name} late`.replace(" ", "_"), "5B", "late");
  ledger.tests.add("5A", { ...TEST, id: `t${name}` }, []);
  ledger.weights.add({ block: name.length, uids: [1], weights: [65535] });
}

const metricsOf = ({ ledger }: Member) => HOTKEYS.map((hotkey) => ledger.metrics(hotkey));

test("what one process measured counts once at all, and a ledger that is thrown away is built anew", async () => {
  const joined = await cluster();
  const [one, other] = [await member(joined), await member(joined)];
  measure(one, "a");
  measure(other, "bb");
  await one.shared.current();
  await other.shared.current();
  await one.shared.current();
  expect(metricsOf(other)).toEqual(metricsOf(one));
  expect(one.ledger.metrics("5A")).toMatchObject({ served: 40, checks: 40 });
  expect(one.ledger.metrics("5B")).toMatchObject({ served: 40, failed: 2 });
  const anew = await member(joined);
  expect(metricsOf(anew)).toEqual(metricsOf(one));
  expect(anew.ledger.weights.last()).toEqual(one.ledger.weights.last());
});

test("two validators may share a log, and neither counts what the other measured", async () => {
  const joined = await cluster();
  const one = await member(joined);
  measure(one, "a");
  await one.shared.current();
  const stranger = await member(joined, ":memory:", "5Stranger");
  expect(stranger.ledger.metrics("5A")).toMatchObject({ served: 0, checks: 0 });
});

test("while the log is away results wait, also for the next process, and none is lost or doubled", async () => {
  const joined = await cluster();
  const path = join(await temporaryFolder(), "ledger.sqlite");
  let away = true;
  const append = async (id: string, body: Uint8Array) => {
    // Half of them arrive, and their sender does not hear of it.
    const arrived = !away || id.length % 2 === 0;
    if (arrived) await joined.results.append(id, body);
    if (away) throw new AppError("cluster_unavailable", "Cannot keep a result: it is away");
    return arrived;
  };
  const { last, read } = joined.results;
  const results = { append, last: last.bind(joined.results), read: read.bind(joined.results) };
  const first = await member({ results }, path);
  measure(first, "a");
  await until(() => first.events.includes("results not shared"), "it says so");
  await first.shared[Symbol.asyncDispose]();
  away = false;
  const second = await member({ results }, path);
  await second.shared.current();
  const other = await member(joined);
  expect(metricsOf(other)).toEqual(metricsOf(second));
  expect(other.ledger.metrics("5A")).toMatchObject({ served: 20, checks: 20 });
});

test("an entry of a later version is passed over, and said", async () => {
  const joined = await cluster();
  const later = { of: "5Validator", measured: { kind: "dream", at: 1 } };
  await joined.results.append("dream", new TextEncoder().encode(JSON.stringify(later)));
  const one = await member(joined);
  measure(one, "a");
  await one.shared.current();
  expect(one.events).toEqual(["result not taken over"]);
  expect(one.ledger.metrics("5A")).toMatchObject({ served: 20 });
});

test("an entry that a busy database did not take is read again", async () => {
  const joined = await cluster();
  const other = await member(joined);
  measure(other, "a");
  await other.shared.current();
  using ledger = new Ledger(":memory:", Date.now, { shared: true });
  const { projection } = ledger;
  let busy = 2;
  const take: typeof projection.take = (position, measured) => {
    if (position === 7 && busy-- > 0) throw new Error("database is locked");
    projection.take(position, measured);
  };
  const slow = {
    take,
    get position() {
      return projection.position;
    },
    waiting: (max: number) => projection.waiting(max),
    sent: (upTo: number) => projection.sent(upTo),
  } as typeof projection;
  const parts = { cluster: joined, ledger: { projection: slow }, of: "5Validator", log: () => {} };
  await using _ = await SharedResults.open(parts);
  expect(HOTKEYS.map((hotkey) => ledger.metrics(hotkey))).toEqual(metricsOf(other));
});

test("a log that was begun anew is read from its beginning", async () => {
  const path = join(await temporaryFolder(), "ledger.sqlite");
  {
    using old = new Ledger(path, Date.now, { shared: true });
    old.projection.take(5000, undefined);
  }
  const joined = await cluster();
  const other = await member(joined);
  measure(other, "a");
  await other.shared.current();
  const one = await member(joined, path);
  expect(metricsOf(one)).toEqual(metricsOf(other));
});

test("a reader that falls silent is followed by another, and whoever waits for it hears so", async () => {
  const joined = await cluster();
  let silent = false;
  const { append, last, read } = joined.results;
  const results = {
    ...{ append: append.bind(joined.results), last: last.bind(joined.results) },
    async *read(after: number, signal: AbortSignal) {
      for await (const entry of read.call(joined.results, after, signal)) {
        if (silent) await new Promise((resolve) => signal.addEventListener("abort", resolve));
        if (signal.aborted) return;
        yield entry;
      }
    },
  };
  using ledger = new Ledger(":memory:", Date.now, { shared: true });
  const parts = { cluster: { results }, ledger, of: "5Validator", log: () => {}, patienceMs: 50 };
  await using shared = await SharedResults.open(parts);
  silent = true;
  ledger.results.served("r1", "5A");
  expect(await rejection(shared.current())).toMatchObject({ code: "cluster_unavailable" });
  silent = false;
  await until(() => shared.current().then(() => true, () => false), "another reads on");
});
