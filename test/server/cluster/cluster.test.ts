import { Buffer } from "node:buffer";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { openLocalCluster, openNatsCluster } from "../../../server/cluster/mod.ts";
import type { Cluster, Entry, WorkOptions } from "../../../server/cluster/cluster.ts";
import { type NatsServer, startNats } from "../../fixtures/nats_server.ts";
import { until } from "../../fixtures/processes.ts";
import { rejection } from "../../fixtures/rejection.ts";

/** A queue is soon full, and silence soon death. */
const OPTIONS = { limit: 5, silenceMs: 800, deliveries: 3 };
/** A message of NATS has at most 1 MiB: an answer of three parts and a bit. */
const LONG = Uint8Array.from({ length: 3.5 * 2 ** 19 }, (_, k) => k % 251);

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (of: Uint8Array | undefined) => of && new TextDecoder().decode(of);

/** Quicker than to compare number by number. */
const isLong = (of: Uint8Array | undefined) => of !== undefined && Buffer.compare(of, LONG) === 0;

let folder: string;
let server: NatsServer;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "stepwise-cluster-" });
  server = await startNats({ folder: join(folder, "nats") });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

/** Two members: on NATS two connections, as of two machines; in a process the same one twice. */
type Open = (prefix?: string, options?: Partial<WorkOptions>) => Promise<[Cluster, Cluster]>;
const IMPLEMENTATIONS: readonly [string, Open][] = [
  ["in one process", async (prefix = "suite", options = OPTIONS) => {
    const cluster = await openLocalCluster(join(folder, prefix), options);
    return [cluster, cluster];
  }],
  ["on NATS JetStream", async (prefix = "suite", options = OPTIONS) => {
    const open = () => openNatsCluster({ servers: [server.url], prefix }, () => {}, options);
    return [await open(), await open()];
  }],
];

describe.each(IMPLEMENTATIONS)("a cluster %s", (_, open) => {
  let one: Cluster;
  let other: Cluster;
  beforeAll(async () => {
    [one, other] = await open();
  });
  afterAll(async () => {
    await one[Symbol.asyncDispose]();
    if (other !== one) await other[Symbol.asyncDispose]();
  });
  const now = { waitMs: 100 };
  const soon = { waitMs: 5000 };

  test("hands out work of a kind, the oldest first, each to one, until it is done", async () => {
    for (const id of ["a1", "a2", "a3"]) expect(await one.work.add("k1", id, bytes(id))).toBe(true);
    const mine = await one.work.take("k1", 2, soon);
    const theirs = await other.work.take("k1", 2, soon);
    expect(mine.map(({ id, body }) => [id, text(body)])).toEqual([["a1", "a1"], ["a2", "a2"]]);
    expect(theirs.map(({ id, delivery }) => [id, delivery])).toEqual([["a3", 1]]);
    expect(await one.work.counts("k1")).toEqual({ waiting: 0, taken: 3 });
    expect(await one.work.take("another", 1, now)).toEqual([]);
    for (const work of [...mine, ...theirs]) await work.done();
    expect(await one.work.counts("k1")).toEqual({ waiting: 0, taken: 0 });
  });

  test("gives work that comes to one that waits, and takes an id once", async () => {
    const taken = other.work.take("k2", 4, soon);
    expect(await one.work.add("k2", "b1", bytes("x"))).toBe(true);
    expect(await one.work.add("k2", "b1", bytes("x"))).toBe(false);
    const [work, ...more] = await taken;
    expect([work.id, more]).toEqual(["b1", []]);
    await work.done();
    expect(await one.work.take("k2", 1, now)).toEqual([]);
  });

  test("hands out again what a dead worker had, not what a living one beats for", async () => {
    for (const id of ["c1", "c2"]) await one.work.add("k3", id, bytes(id));
    const [alive] = await one.work.take("k3", 1, soon);
    await one.work.take("k3", 1, soon);
    const beat = setInterval(() => alive.beat(), 50);
    const [again] = await other.work.take("k3", 2, soon);
    expect([again.id, again.delivery]).toEqual(["c2", 2]);
    const [last] = await other.work.take("k3", 1, { waitMs: 10 * OPTIONS.silenceMs });
    expect([last.id, last.delivery]).toEqual(["c2", 3]);
    clearInterval(beat);
    await Promise.all([alive.done(), last.done()]);
  });

  test("hands out at once what is given back", async () => {
    await one.work.add("k4", "d1", bytes("x"));
    const [work] = await one.work.take("k4", 1, soon);
    await work.giveBack();
    const [again] = await other.work.take("k4", 1, soon);
    expect(again.id).toBe("d1");
    await again.done();
  });

  test("puts away what was handed out three times and never done", async () => {
    await one.work.add("k5", "e1", bytes("poison"));
    for (const delivery of [1, 2, 3]) {
      const [work] = await one.work.take("k5", 1, soon);
      expect(work.delivery).toBe(delivery);
    }
    const told: string[] = [];
    const onDead = ({ id }: { readonly id: string }) => Promise.resolve(void told.push(id));
    await until(async () => {
      await one.work.take("k5", 1, { ...now, onDead });
      return (await other.work.dead()).length === 1;
    }, "the work is dead");
    expect(told).toEqual(["e1"]);
    const [{ kind, id, body }] = await other.work.dead();
    expect([kind, id, text(body)]).toEqual(["k5", "e1", "poison"]);
    expect(await one.work.counts("k5")).toEqual({ waiting: 0, taken: 0 });
  });

  test("refuses what is more than its limit, and loses nothing of what it has", async () => {
    for (let k = 0; k < OPTIONS.limit; k++) await one.work.add("k6", `f${k}`, bytes("x"));
    const refusal = await rejection(one.work.add("k6", "more", bytes("x")));
    expect(refusal).toMatchObject({ code: "queue_full" });
    const all = await one.work.take("k6", 10, soon);
    expect(all.map(({ id }) => id)).toEqual(["f0", "f1", "f2", "f3", "f4"]);
    for (const work of all) await work.done();
    expect(await one.work.add("k6", "more", bytes("x"))).toBe(true);
  });

  test("forgets work that nobody took in its time, and has room for other", async () => {
    const [brief, same] = await open("brief", { ...OPTIONS, limit: 1, maxAgeMs: 300 });
    await brief.work.add("k9", "g1", bytes("x"));
    expect(await rejection(brief.work.add("k9", "g2", bytes("x")))).toMatchObject({
      code: "queue_full",
    });
    await until(async () => (await brief.work.counts("k9")).waiting === 0, "it is forgotten");
    expect(await brief.work.add("k9", "g2", bytes("x"))).toBe(true);
    const [work] = await brief.work.take("k9", 2, soon);
    expect(work.id).toBe("g2");
    for (const each of new Set([brief, same])) await each[Symbol.asyncDispose]();
  });

  test("ends a wait for work by a signal", async () => {
    const stop = new AbortController();
    const taken = one.work.take("k7", 1, { waitMs: 60_000, signal: stop.signal });
    stop.abort();
    expect(await taken).toEqual([]);
  });

  async function read(cluster: Cluster, after: number, count: number): Promise<Entry[]> {
    const [found, stop] = [[] as Entry[], new AbortController()];
    for await (const entry of cluster.results.read(after, stop.signal)) {
      found.push(entry);
      if (found.length === count) stop.abort();
    }
    return found;
  }

  test("keeps each result once, for every reader from where it left off", async () => {
    expect(await one.results.last()).toBe(0);
    for (const id of ["r1", "r2", "r3"]) {
      expect(await one.results.append(id, bytes(id))).toBe(true);
      expect(await other.results.append(id, bytes("another"))).toBe(false);
    }
    const all = await read(other, 0, 3);
    expect(all.map(({ id, body }) => [id, text(body)]))
      .toEqual([["r1", "r1"], ["r2", "r2"], ["r3", "r3"]]);
    expect(await one.results.last()).toBe(all[2].position);
    expect(await read(one, all[1].position, 1)).toEqual([all[2]]);
    const next = read(other, all[2].position, 1);
    await one.results.append("r4", bytes("late"));
    expect((await next).map(({ id }) => id)).toEqual(["r4"]);
  });

  test("lets one of many claim a key, until it is released or its time is over", async () => {
    const [mine, theirs] = [await one.once("claims", 3), await other.once("claims", 3)];
    const claims = await Promise.all([mine.claim("x", "1"), theirs.claim("x", "2")]);
    expect(claims.toSorted()).toEqual([false, true]);
    const [winner, loser] = claims[0] ? ["1", "2"] : ["2", "1"];
    expect(await theirs.get("x")).toBe(winner);
    expect([await mine.renew("x", loser), await mine.renew("x", winner)]).toEqual([false, true]);
    await theirs.release("x", loser);
    expect(await theirs.claim("x", loser)).toBe(false);
    await theirs.release("x", winner);
    expect(await theirs.get("x")).toBeUndefined();
    expect(await mine.claim("x", loser)).toBe(true);
    await until(() => theirs.claim("x", "3"), "the claim is over");
  });

  test("keeps files for their time", async () => {
    const [mine, theirs] = [await one.blobs("files", 3), await other.blobs("files", 3)];
    await mine.put("image", LONG);
    expect(isLong(await theirs.get("image"))).toBe(true);
    await mine.put("gone", bytes("x"));
    await theirs.remove("gone");
    await theirs.remove("gone");
    expect(await mine.get("gone")).toBeUndefined();
    await until(async () => await theirs.get("image") === undefined, "its time is over");
  });

  test("tells all that listen, and nobody else", async () => {
    const heard: string[] = [];
    const hear = (name: string) => (body: Uint8Array) => void heard.push(`${name} ${text(body)}`);
    using _first = await one.bus.listen("jobs.1", hear("first"));
    using _second = await other.bus.listen("jobs.1", hear("second"));
    const third = await other.bus.listen("jobs.1", hear("third"));
    third[Symbol.dispose]();
    using _another = await other.bus.listen("jobs.2", hear("another"));
    one.bus.publish("jobs.1", bytes("step 1"));
    await until(() => heard.length === 2, "both heard it");
    expect(heard.toSorted()).toEqual(["first step 1", "second step 1"]);
  });

  test("carries a question to who answers it, however long the answer", async () => {
    using _ = await other.bus.answer(
      "open.1",
      (body) =>
        text(body) === "long"
          ? Promise.resolve(LONG)
          : Promise.reject(new AppError("challenge_invalid", "Cannot open: it is no step")),
    );
    expect(isLong(await one.bus.ask("open.1", bytes("long")))).toBe(true);
    expect(await rejection(one.bus.ask("open.1", bytes("step")))).toMatchObject({
      code: "challenge_invalid",
      message: "Cannot open: it is no step",
    });
  });

  test("says at once that nobody answers", async () => {
    expect(await one.bus.ask("open.2", bytes("anyone?"))).toBeUndefined();
  });

  test("refuses names that not every implementation takes", async () => {
    const refused = [
      () => one.work.add("a.b", "id", bytes("")),
      () => one.work.add("k8", "a b", bytes("")),
      () => one.results.append("*", bytes("")),
      () => one.bus.ask("open.>", bytes("")),
    ];
    for (const call of refused) {
      expect(await rejection(Promise.try<unknown, []>(call))).toMatchObject({
        code: "invalid_request",
      });
    }
  });
});
