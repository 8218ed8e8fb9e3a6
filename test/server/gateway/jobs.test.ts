import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { join } from "node:path";
import { AppError } from "../../../core/error.ts";
import { decodeRequest, type GenerationRequest } from "../../../core/request/mod.ts";
import {
  DEFAULT_JOBS,
  type Gateway,
  type GatewayOptions,
  type JobEvent,
  type Order,
} from "../../../server/gateway/mod.ts";
import { RetryLater } from "../../../server/http/mod.ts";
import { addKey, HeldMaker, testGateway } from "../../fixtures/gateway.ts";
import { SMALL_IMAGE } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 0n };
let stack: AsyncDisposableStack;
let folder: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
});
afterEach(() => stack.disposeAsync());

/** A gateway whose images are made when the test says so; a second one of the folder is a restart. */
async function opened(options: Partial<GatewayOptions> = {}) {
  const maker = new HeldMaker();
  const gateway = stack.use(await testGateway(folder, { make: maker.make, ...options }));
  stack.defer(() => {
    gateway.stop();
    maker.failAll();
  });
  return { maker, gateway, jobs: gateway.parts.jobs };
}

const parallel = (count: number) => ({ jobs: { ...DEFAULT_JOBS, parallel: count } });

function requests(count: number): GenerationRequest[] {
  return Array.from(
    { length: count },
    (_, k) => decodeRequest({ prompt: "a tau", seed: k }, DEFAULTS),
  );
}

function order(gateway: Gateway, key: string, count = 1, more: Partial<Order> = {}): Order {
  const known = gateway.store.keys.list().find(({ name }) => name === key);
  const owner = known ?? addKey(gateway, key);
  return { owner, requests: requests(count), format: "png", ...more };
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejection(promise);
  return error instanceof AppError ? error.code : error;
}

async function eventsOf(watcher: { next(): Promise<JobEvent | undefined> }): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for (let event = await watcher.next(); event; event = await watcher.next()) events.push(event);
  return events;
}

describe("a job", () => {
  test("is made image by image, side by side, and its files are there", async () => {
    const { gateway, jobs, maker } = await opened(parallel(3));
    const { id, owner, state } = await jobs.submit(order(gateway, "a", 3));
    expect(state).toBe("queued");
    await maker.reached(3);
    expect(jobs.get(owner, id).state).toBe("running");
    for (const k of [2, 0, 1]) maker.finish(k);
    const job = await jobs.wait(owner, id);
    expect(job.state).toBe("done");
    expect(job.images.map(({ state, request }) => [state, request.seed])).toEqual([
      ["done", 0n],
      ["done", 1n],
      ["done", 2n],
    ]);
    expect(await jobs.image(job, 1)).toEqual(SMALL_IMAGE);
    expect(gateway.store.usage.list()).toMatchObject([
      { owner, images: 3, pixelSteps: 3 * 64 * 64 * 4, failures: 0 },
    ]);
  });

  test("that an image of fails has failed, and says how many; the others are there", async () => {
    const { gateway, jobs, maker } = await opened();
    const { id, owner } = await jobs.submit(order(gateway, "a", 2));
    await maker.reached(2);
    maker.fail(0, new AppError("miner_failed", "Cannot use uid 3: it is down"));
    maker.finish(1);
    const job = await jobs.wait(owner, id);
    expect(job.state).toBe("failed");
    expect(job.failure).toEqual({
      code: "miner_failed",
      message: "1 of the 2 could not be made: Cannot use uid 3: it is down",
    });
    expect(await jobs.image(job, 1)).toEqual(SMALL_IMAGE);
    await expect(jobs.image(job, 0)).rejects.toThrow("there is no");
  });

  test("our own mistakes are logged, and not told", async () => {
    const log = vi.fn();
    const { gateway, jobs, maker } = await opened({ log });
    const { id, owner } = await jobs.submit(order(gateway, "a"));
    await maker.reached(1);
    maker.fail(0, new Error("/home/operator/secret is missing"));
    const { failure } = await jobs.wait(owner, id);
    expect(failure).toMatchObject({ code: "internal" });
    expect(failure?.message).not.toMatch(/secret/);
    expect(log.mock.calls[0][1].error).toMatch(/secret/);
  });

  test("is another key's secret", async () => {
    const { gateway, jobs } = await opened();
    const { id } = await jobs.submit(order(gateway, "a"));
    for (const call of ["get", "watch", "cancel"] as const) {
      expect(() => jobs[call]("another", id)).toThrow("Cannot find the job");
    }
    expect(jobs.list("another", { limit: 9 })).toEqual([]);
  });

  test("waits for room at the miners before it fails", async () => {
    const { gateway, jobs, maker } = await opened();
    const { id, owner } = await jobs.submit(order(gateway, "a"));
    await maker.reached(1);
    maker.fail(0, new RetryLater("no_miner", "Cannot generate: none serves", 0.001));
    await maker.reached(2);
    maker.finish(1);
    expect((await jobs.wait(owner, id)).state).toBe("done");
  });

  test("fails when miners had no room for too long", async () => {
    const { gateway, jobs, maker } = await opened({ jobs: { ...DEFAULT_JOBS, patienceMs: 0 } });
    const { id, owner } = await jobs.submit(order(gateway, "a"));
    await maker.reached(1);
    maker.fail(0, new RetryLater("no_miner", "Cannot generate: none serves", 0.001));
    expect((await jobs.wait(owner, id)).failure?.code).toBe("no_miner");
  });

  test("is cancelled: what runs is stopped, what waits is not begun", async () => {
    const { gateway, jobs, maker } = await opened(parallel(1));
    const { id, owner } = await jobs.submit(order(gateway, "a", 2));
    await maker.reached(1);
    expect(jobs.cancel(owner, id).state).toBe("cancelled");
    expect(maker.begun[0][2].signal.aborted).toBe(true);
    const next = await jobs.submit(order(gateway, "a"));
    await maker.reached(2);
    maker.finish(1);
    await jobs.wait(owner, next.id);
    expect(maker.begun).toHaveLength(2);
    expect(jobs.get(owner, id).images.map(({ state }) => state)).toEqual([
      "cancelled",
      "cancelled",
    ]);
    expect(jobs.cancel(owner, next.id).state).toBe("done");
    expect(gateway.store.usage.list()).toMatchObject([{ images: 1, failures: 0 }]);
  });
});

describe("events", () => {
  test("say place, steps, images and end, in this order", async () => {
    const { gateway, jobs, maker } = await opened(parallel(1));
    const first = await jobs.submit(order(gateway, "a"));
    const { id, owner } = await jobs.submit(order(gateway, "a"));
    const watcher = jobs.watch(owner, id);
    await maker.reached(1);
    maker.finish(0);
    await maker.reached(2);
    maker.begun[1][2].onStep({ step: 2, steps: 4 });
    expect(jobs.progressOf(id, 0)).toEqual({ step: 2, steps: 4 });
    maker.finish(1);
    const events = await eventsOf(watcher);
    expect(events.map(({ type, at }) => [type, at])).toEqual([
      ["queued", 0],
      ["progress", 0],
      ["image", 1],
      ["end", 2],
    ]);
    expect(events[0]).toMatchObject({ place: { position: 0 } });
    expect(first.state).toBe("queued");
  });

  test("go on where a watcher stood, after a restart too, and none of an image is missed", async () => {
    const before = await opened(parallel(1));
    const { id, owner } = await before.jobs.submit(order(before.gateway, "a", 3));
    await before.maker.reached(1);
    before.maker.finish(0);
    await before.maker.reached(2);
    expect(await firstOf(before.jobs.watch(owner, id))).toMatchObject({ type: "image", at: 1 });
    before.gateway.stop();
    const after = await opened(parallel(1));
    const watcher = after.jobs.watch(owner, id, 1);
    await after.maker.reached(1);
    after.maker.finish(0);
    await after.maker.reached(2);
    after.maker.finish(1);
    expect((await eventsOf(watcher)).map(({ at }) => at)).toEqual([2, 3, 4]);
    const all = await eventsOf(after.jobs.watch(owner, id));
    expect(all.map(({ type }) => type)).toEqual(["image", "image", "image", "end"]);
  });

  const firstOf = (watcher: { next(): Promise<JobEvent | undefined> }) => watcher.next();

  test("of progress a slow reader gets the newest, and of all else everything", async () => {
    const { gateway, jobs, maker } = await opened();
    const { id, owner } = await jobs.submit(order(gateway, "a"));
    await maker.reached(1);
    const watcher = jobs.watch(owner, id);
    for (let step = 1; step <= 100; step++) maker.begun[0][2].onStep({ step, steps: 100 });
    maker.finish(0);
    await jobs.wait(owner, id);
    const events = await eventsOf(watcher);
    expect(events.filter(({ type }) => type === "progress").length).toBeLessThanOrEqual(1);
    expect(events.at(-1)).toMatchObject({ type: "end" });
  });
});

test("a preview outlives the steps after it that bring none, and is sent once", async () => {
  const { gateway, jobs, maker } = await opened();
  const { id, owner } = await jobs.submit(order(gateway, "a"));
  await maker.reached(1);
  const watcher = jobs.watch(owner, id);
  const [, , { onStep }] = maker.begun[0];
  onStep({ step: 1, steps: 9, preview: "data:a" });
  for (let step = 2; step <= 8; step++) onStep({ step, steps: 9 });
  expect(jobs.progressOf(id, 0)).toEqual({ step: 8, steps: 9, preview: "data:a" });
  const previews: unknown[] = [];
  for (let step = 0; step < 8;) {
    const event = await watcher.next();
    if (event?.type !== "progress") throw new Error(`it is ${event?.type}`);
    step = event.progress.step;
    previews.push(event.progress.preview);
  }
  expect(previews.filter((each) => each === "data:a")).toHaveLength(1);
  maker.finish(0);
  await jobs.wait(owner, id);
});

describe("restarted", () => {
  test("all that was accepted is taken up, and what was made is not made again", async () => {
    const before = await opened(parallel(2));
    const { id, owner } = await before.jobs.submit(order(before.gateway, "a", 3));
    const cancelled = await before.jobs.submit(order(before.gateway, "b"));
    before.jobs.cancel(cancelled.owner, cancelled.id);
    await before.maker.reached(2);
    before.maker.finish(1);
    await before.maker.reached(3);
    before.gateway.stop();
    const { jobs, maker } = await opened();
    await maker.reached(2);
    expect(maker.begun.map(([request]) => request.seed).toSorted()).toEqual([0n, 2n]);
    maker.finish(0);
    maker.finish(1);
    expect((await jobs.wait(owner, id)).state).toBe("done");
  });

  test("files of a job that was never accepted are removed", async () => {
    const lost = join(folder, "jobs", "job_lost");
    await Deno.mkdir(lost, { recursive: true });
    await opened();
    await expect(Deno.stat(lost)).rejects.toThrow();
  });
});

describe("files that a request names", () => {
  const image = "1f".repeat(32);
  const inputs = new Map([[image, new TextEncoder().encode("a photo")]]);
  const naming = [decodeRequest({ image, strength: 0.5 }, DEFAULTS)];

  test("are handed to who makes the image, after a restart too, and to later jobs", async () => {
    const before = await opened({ ...parallel(1) });
    const first = await before.jobs.submit(
      order(before.gateway, "a", 1, { requests: naming, inputs }),
    );
    await before.maker.reached(1);
    before.gateway.stop();
    const { gateway, jobs, maker } = await opened();
    await maker.reached(1);
    expect(new TextDecoder().decode(maker.begun[0][2].inputs.get(image))).toBe("a photo");
    await jobs.submit(order(gateway, "a", 1, { requests: naming }));
    await maker.reached(2);
    expect(maker.begun[1][2].inputs.get(image)).toEqual(inputs.get(image));
    for (const k of [0, 1]) maker.finish(k);
    await jobs.wait(first.owner, first.id);
  });

  test("are freed with a job that is cancelled or fails, which later jobs are told", async () => {
    const { gateway, jobs, maker } = await opened();
    const submit = () => jobs.submit(order(gateway, "a", 1, { requests: naming, inputs }));
    const cancelled = await submit();
    const failed = await submit();
    await maker.reached(2);
    jobs.cancel(cancelled.owner, cancelled.id);
    maker.fail(1, new AppError("miner_failed", "Cannot use uid 3: it is down"));
    await jobs.wait(failed.owner, failed.id);
    for (const { id } of [cancelled, failed]) {
      await vi.waitFor(() => expect([...Deno.readDirSync(join(folder, "jobs", id))]).toEqual([]));
    }
    const refused = jobs.submit(order(gateway, "a", 1, { requests: naming }));
    await expect(refused).rejects.toThrow("no job of this key has");
  });

  test("of another key, or of nobody, are refused", async () => {
    const { gateway, jobs } = await opened();
    await jobs.submit(order(gateway, "a", 1, { requests: naming, inputs }));
    const refused = jobs.submit(order(gateway, "b", 1, { requests: naming }));
    await expect(refused).rejects.toThrow("no job of this key has");
  });
});

describe("an Idempotency-Key", () => {
  test("repeats the job, and is not another's", async () => {
    const { gateway, jobs } = await opened();
    const once = { key: "k", asked: "x" };
    const { id } = await jobs.submit(order(gateway, "a", 1, { once }));
    expect((await jobs.submit(order(gateway, "a", 1, { once }))).id).toBe(id);
    const other = jobs.submit(order(gateway, "a", 1, { once: { key: "k", asked: "y" } }));
    expect(await codeOf(other)).toBe("idempotency_conflict");
    expect((await jobs.submit(order(gateway, "b", 1, { once }))).id).not.toBe(id);
  });

  test("sent twice at the same time is one job", async () => {
    const { gateway, jobs } = await opened();
    const once = { key: "k", asked: "x" };
    const image = "1f".repeat(32);
    const more = {
      once,
      requests: [decodeRequest({ image }, DEFAULTS)],
      inputs: new Map([[image, new Uint8Array(9)]]),
    };
    const key = order(gateway, "a", 1, more);
    const [one, two] = await Promise.all([jobs.submit(key), jobs.submit(key)]);
    expect(one.id).toBe(two.id);
  });
});

describe("limits of a key", () => {
  test("of jobs that have not ended", async () => {
    const { gateway, jobs } = await opened();
    const owner = addKey(gateway, "a", { jobs: 1 });
    const first = await jobs.submit({ ...order(gateway, "x"), owner });
    expect(await codeOf(jobs.submit({ ...order(gateway, "x"), owner }))).toBe("rate_limited");
    jobs.cancel(owner.id, first.id);
    await jobs.submit({ ...order(gateway, "x"), owner });
  });

  test("of images a day: those made, and those asked for", async () => {
    const { gateway, jobs, maker } = await opened();
    const owner = addKey(gateway, "a", { imagesPerDay: 3 });
    const submit = (count: number) => jobs.submit({ ...order(gateway, "x", count), owner });
    const { id } = await submit(2);
    await maker.reached(2);
    for (const k of [0, 1]) maker.finish(k);
    await jobs.wait(owner.id, id);
    expect(await codeOf(submit(2))).toBe("rate_limited");
    await submit(1);
    expect(await codeOf(submit(1))).toBe("rate_limited");
  });
});

test("a job that cannot be kept is not accepted, and its caller told when to come again", async () => {
  const log = vi.fn();
  const { gateway, jobs } = await opened({ log });
  // As on a full disk: no folder can be made for the job's files.
  await Deno.writeTextFile(join(folder, "jobs"), "");
  const image = "1f".repeat(32);
  const refused = jobs.submit(order(gateway, "a", 1, {
    requests: [decodeRequest({ image }, DEFAULTS)],
    inputs: new Map([[image, new Uint8Array(9)]]),
  }));
  await expect(refused).rejects.toMatchObject({ code: "not_ready", seconds: 60 });
  expect(gateway.store.jobs.open()).toEqual([]);
  expect(log.mock.calls[0][0]).toBe("job not kept");
});

test("a queue that is full takes no more, and says when to come again", async () => {
  const { gateway, jobs } = await opened({ jobs: { ...DEFAULT_JOBS, queue: 2 } });
  await jobs.submit(order(gateway, "a", 2));
  await expect(jobs.submit(order(gateway, "b"))).rejects.toMatchObject({
    ...{ code: "queue_full", seconds: expect.any(Number) },
  });
});

test("one key's thousand jobs do not delay another's first by more than one image", async () => {
  const { gateway, jobs, maker } = await opened(parallel(4));
  for (let k = 0; k < 100; k++) await jobs.submit(order(gateway, "a", 10));
  const { id, owner } = await jobs.submit(order(gateway, "b"));
  expect(jobs.placeOf(jobs.get(owner, id))?.position).toBe(0);
  await maker.reached(4);
  // The first of the images under way makes room.
  maker.finish(2);
  await maker.reached(5);
  expect(maker.begun[4][2].owner).toBe(owner);
});

test("positions are those in which jobs begin", async () => {
  const { gateway, jobs, maker } = await opened(parallel(1));
  const submitted = [];
  for (const key of ["a", "a", "a", "b", "b", "c"]) {
    submitted.push(await jobs.submit(order(gateway, key)));
  }
  const waiting = submitted.slice(1).map((job) => jobs.get(job.owner, job.id));
  const told = waiting.toSorted((a, b) =>
    Number(jobs.placeOf(a)?.position) - Number(jobs.placeOf(b)?.position)
  ).map(({ id }) => id);
  const begun: string[] = [];
  for (let k = 0; k < 6; k++) {
    await maker.reached(k + 1);
    const running = submitted.find(({ id, owner }) => jobs.get(owner, id).state === "running");
    if (running) begun.push(running.id);
    maker.finish(k);
    if (running) await jobs.wait(running.owner, running.id);
  }
  expect(begun.slice(1)).toEqual(told);
});

test("what is kept long enough is forgotten, files and all", async () => {
  const { gateway, jobs, maker } = await opened({ jobs: { ...DEFAULT_JOBS, keepMs: -1 } });
  const { id, owner } = await jobs.submit(order(gateway, "a"));
  const open = await jobs.submit(order(gateway, "a"));
  await maker.reached(2);
  maker.finish(0);
  await jobs.wait(owner, id);
  await gateway.sweep();
  expect(() => jobs.get(owner, id)).toThrow("Cannot find the job");
  expect(jobs.get(owner, open.id).state).toBe("running");
  await expect(Deno.stat(join(folder, "jobs", id))).rejects.toThrow();
  maker.finish(1);
});
