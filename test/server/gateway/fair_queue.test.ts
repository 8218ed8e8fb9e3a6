import fc from "fast-check";
import { expect, test } from "vitest";
import { FairQueue, type Task } from "../../../server/gateway/jobs/fair_queue.ts";

const task = (owner: string, n: number, work = 1): Task => ({
  job: `job of ${owner}`,
  n,
  owner,
  work,
});

function filled(lines: Readonly<Record<string, number>>): FairQueue {
  const queue = new FairQueue();
  for (const [owner, count] of Object.entries(lines)) {
    for (let n = 0; n < count; n++) queue.add(task(owner, n));
  }
  return queue;
}

function owners(queue: FairQueue, count: number): string {
  return Array.from({ length: count }, () => queue.take()?.owner ?? "-").join("");
}

test("a thousand tasks of one owner leave another its turn", () => {
  const queue = filled({ a: 1000 });
  expect(owners(queue, 16)).toBe("a".repeat(16));
  queue.add(task("b", 0));
  queue.add(task("b", 1));
  expect(owners(queue, 4)).toMatch(/^b(ab|ba)a$/);
});

test("owners share by work, not by tasks", () => {
  const queue = new FairQueue();
  for (let n = 0; n < 8; n++) {
    queue.add(task("large", n, 4));
    queue.add(task("small", n));
  }
  const first = owners(queue, 10).replaceAll("large", "L").replaceAll("small", "s");
  // 8 of work each.
  expect([...first].filter((letter) => letter === "s")).toHaveLength(8);
});

test("who was away has saved nothing up", () => {
  const queue = filled({ a: 100, b: 1 });
  owners(queue, 50);
  for (let n = 0; n < 50; n++) queue.add(task("b", n));
  const next = owners(queue, 20);
  expect([...next].filter((owner) => owner === "b").length).toBeLessThanOrEqual(11);
});

test("what is put back comes first of its owner, and counts once", () => {
  const queue = filled({ a: 3, b: 3 });
  const first = queue.take();
  if (first) queue.add(first, { first: true });
  const order: (Task | undefined)[] = [];
  for (let left = 6; left > 0; left--) order.push(queue.take());
  expect(order.filter((each) => each?.owner === "a").map((each) => each?.n)).toEqual([0, 1, 2]);
  expect(queue.take()).toBeUndefined();
});

test("a job that is taken out is gone, and no other", () => {
  const queue = new FairQueue();
  queue.add({ job: "one", n: 0, owner: "a", work: 1 });
  queue.add({ job: "two", n: 0, owner: "a", work: 1 });
  queue.remove("a", "one");
  expect([queue.take()?.job, queue.take()]).toEqual(["two", undefined]);
});

test("the order that is told is the order in which tasks are taken", () => {
  const lines = fc.array(
    fc.record({ owner: fc.constantFrom("a", "b", "c"), work: fc.integer({ min: 1, max: 9 }) }),
  );
  fc.assert(fc.property(lines, fc.nat(10), (tasks, taken) => {
    const queue = new FairQueue();
    for (const [n, { owner, work }] of tasks.entries()) queue.add(task(owner, n, work));
    owners(queue, taken);
    const told = [...queue.order()];
    const real = told.map(() => queue.take());
    expect(real).toEqual(told);
    expect(queue.size).toBe(0);
  }));
});
