import { expect, test } from "vitest";
import { JobQueue } from "../../../server/miner/job_queue.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** A job that ends when it is told to. */
function job(queue: JobQueue, id: string, owner = "5Abc") {
  const gate = Promise.withResolvers<string>();
  const positions: number[] = [];
  const result = queue.run(
    { id, owner, onPosition: (position) => positions.push(position) },
    (signal) => {
      signal.addEventListener("abort", () => gate.reject(signal.reason));
      return gate.promise;
    },
  );
  result.catch(() => {});
  return { end: () => gate.resolve(id), result, positions };
}

test("one at a time, the first come first; each hears its position", async () => {
  const queue = new JobQueue(4);
  const [a, b, c] = [job(queue, "a"), job(queue, "b"), job(queue, "c")];
  expect([queue.running, queue.queued]).toEqual([1, 2]);
  c.end();
  b.end();
  a.end();
  expect(await Promise.all([a.result, b.result, c.result])).toEqual(["a", "b", "c"]);
  expect(c.positions).toContain(2);
  expect(c.positions.at(-1)).toBe(0);
});

test("a full queue refuses with the seconds until there is room", () => {
  const queue = new JobQueue(1);
  job(queue, "runs");
  job(queue, "waits");
  expect(thrownBy(() => job(queue, "too many")))
    .toMatchObject({ code: "queue_full", seconds: expect.any(Number) });
});

test("a job is cancelled by its owner alone, waiting or running", async () => {
  const queue = new JobQueue(4);
  const [a, b] = [job(queue, "a"), job(queue, "b")];
  expect(queue.cancel("b", "5Other")).toBe(false);
  expect(queue.cancel("b", "5Abc")).toBe(true);
  expect(await rejection(b.result)).toMatchObject({ code: "cancelled" });
  expect(queue.cancel("a", "5Other")).toBe(false);
  expect(queue.cancel("a", "5Abc")).toBe(true);
  expect(await rejection(a.result)).toMatchObject({ code: "cancelled" });
  expect(queue.cancel("a", "5Abc")).toBe(false);
});

test("a job that fails stops none behind it", async () => {
  const queue = new JobQueue(4);
  const failing = queue.run({ id: "x", owner: "" }, () => Promise.reject(new Error("broken")));
  failing.catch(() => {});
  const b = job(queue, "b");
  b.end();
  expect((await rejection(failing)).message).toBe("broken");
  expect(await b.result).toBe("b");
});

test("closing finishes what runs and hands back what waits", async () => {
  const queue = new JobQueue(4);
  const [a, b] = [job(queue, "a"), job(queue, "b")];
  const closed = queue.close();
  expect(await rejection(b.result)).toMatchObject({ code: "not_ready" });
  expect(thrownBy(() => job(queue, "late"))).toMatchObject({ code: "not_ready" });
  a.end();
  expect(await a.result).toBe("a");
  await closed;
});
