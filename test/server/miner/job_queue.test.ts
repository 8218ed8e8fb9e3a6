import { describe, expect, test } from "vitest";
import { JobQueue, type Running } from "../../../server/miner/job_queue.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** Tasks are named by their kind and a number: those of a kind run together, up to the room. */
function tested(limit: number, room = 1) {
  const runs: { readonly tasks: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const queue = new JobQueue<string, string>(limit, {
    together: (one, other) => one[0] === other[0],
    size: () => 1,
    room,
    run: (tasks: readonly Running<string>[]) => {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>();
      for (const { signal } of tasks) {
        signal.addEventListener("abort", () => {
          if (tasks.every((each) => each.signal.aborted)) reject(signal.reason);
        });
      }
      runs.push({
        tasks: tasks.map(({ task }) => task),
        end: (error) => error ? reject(error) : resolve(tasks.map(({ task }) => `made ${task}`)),
      });
      return promise;
    },
  });
  const add = (task: string, owner = "5Abc") => {
    const positions: number[] = [];
    const onPosition = (position: number) => void positions.push(position);
    const result = queue.run({ id: task, owner, task, onPosition });
    result.catch(() => {});
    return { result, positions };
  };
  return { queue, runs, add };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

test("one run at a time, the first come first; each hears its position", async () => {
  const { queue, runs, add } = tested(4);
  const [a, b, c] = [add("a1"), add("b1"), add("c1")];
  await soon();
  expect([queue.running, queue.queued]).toEqual([1, 2]);
  for (const done of [a, b, c]) {
    runs.at(-1)?.end();
    await done.result;
    await soon();
  }
  expect(runs.map(({ tasks }) => tasks)).toEqual([["a1"], ["b1"], ["c1"]]);
  expect(await c.result).toBe("made c1");
  expect(c.positions).toContain(2);
  expect(c.positions.at(-1)).toBe(0);
});

describe("together", () => {
  test("those of a kind, in their order, no more than there is room for", async () => {
    const { runs, add } = tested(9, 3);
    const [first, second] = [add("a1"), add("a2")];
    for (const task of ["b1", "a3", "a4", "b2"]) add(task);
    await soon();
    expect(runs[0].tasks).toEqual(["a1", "a2", "a3"]);
    runs[0].end();
    expect(await Promise.all([first.result, second.result])).toEqual(["made a1", "made a2"]);
    await soon();
    // Nobody is passed over: b1 came before a4.
    expect(runs[1].tasks).toEqual(["b1", "b2"]);
    runs[1].end();
    await soon();
    expect(runs[2].tasks).toEqual(["a4"]);
  });

  test("one that is cancelled hears it at once, and the others go on", async () => {
    const { queue, runs, add } = tested(9, 3);
    const [a, b] = [add("a1"), add("a2")];
    await soon();
    expect(queue.cancel("a1", "5Abc")).toBe(true);
    expect(queue.cancel("a1", "5Abc")).toBe(false);
    expect(await rejection(a.result)).toMatchObject({ code: "cancelled" });
    runs[0].end();
    expect(await b.result).toBe("made a2");
  });

  test("what fails together is tried alone", async () => {
    const { runs, add } = tested(9, 3);
    const [a, b] = [add("a1"), add("a2")];
    await soon();
    runs[0].end(new Error("out of memory"));
    await soon();
    expect(runs[1].tasks).toEqual(["a1"]);
    runs[1].end();
    expect(await a.result).toBe("made a1");
    await soon();
    runs[2].end(new Error("still"));
    expect((await rejection(b.result)).message).toBe("still");
  });
});

test("a full queue refuses with the seconds until there is room", async () => {
  const { add } = tested(1);
  add("a1");
  await soon();
  add("b1");
  expect(thrownBy(() => add("c1"))).toMatchObject({
    code: "queue_full",
    seconds: expect.any(Number),
  });
});

test("a job is cancelled by its owner alone, waiting or running", async () => {
  const { queue, add } = tested(4);
  const [a, b] = [add("a1"), add("b1")];
  await soon();
  expect(queue.cancel("b1", "5Other")).toBe(false);
  expect(queue.cancel("b1", "5Abc")).toBe(true);
  expect(await rejection(b.result)).toMatchObject({ code: "cancelled" });
  expect(queue.cancel("a1", "5Other")).toBe(false);
  expect(queue.cancel("a1", "5Abc")).toBe(true);
  expect(await rejection(a.result)).toMatchObject({ code: "cancelled" });
});

test("a job that fails stops none behind it", async () => {
  const { runs, add } = tested(4);
  const [a, b] = [add("a1"), add("b1")];
  await soon();
  runs[0].end(new Error("broken"));
  expect((await rejection(a.result)).message).toBe("broken");
  await soon();
  runs[1].end();
  expect(await b.result).toBe("made b1");
});

test("who leaves takes the job along", async () => {
  const { queue } = tested(4);
  const leaving = new AbortController();
  queue.run({ id: "x", owner: "", task: "x1" }).catch(() => {});
  const left = queue.run({ id: "y", owner: "", task: "y1", signal: leaving.signal });
  leaving.abort();
  expect(await rejection(left)).toMatchObject({ code: "cancelled" });
});

test("closing hands back what waits, finishes what runs, and takes nothing more", async () => {
  const { queue, runs, add } = tested(4);
  const [a, b] = [add("a1"), add("b1")];
  await soon();
  const closed = queue.close();
  expect(await rejection(b.result)).toMatchObject({ code: "not_ready" });
  expect(thrownBy(() => add("c1"))).toMatchObject({ code: "not_ready" });
  runs[0].end();
  await closed;
  expect(await a.result).toBe("made a1");
});

describe("callers", () => {
  test("take turns, whichever came with more", async () => {
    const { runs, add } = tested(9);
    for (const task of ["a1", "b1", "c1"]) add(task, "5Many");
    await soon();
    add("d1", "5Few");
    add("e1", "5Few");
    for (let k = 0; k < 5; k++) {
      runs.at(-1)?.end();
      await soon();
    }
    expect(runs.map(({ tasks: [task] }) => task)).toEqual(["a1", "d1", "b1", "e1", "c1"]);
  });

  test("cannot keep another out: their newest job gives way", async () => {
    const { queue, add } = tested(3);
    add("a1", "5Many");
    await soon();
    const many = ["b1", "c1", "d1"].map((task) => add(task, "5Many"));
    expect(queue.queued).toBe(3);
    add("e1", "5Few");
    expect(await rejection(many[2].result)).toMatchObject({ code: "queue_full" });
    expect(queue.queued).toBe(3);
    // Nor can the other take more than as many.
    expect(thrownBy(() => add("f1", "5Few"))).toMatchObject({ code: "queue_full" });
    expect(thrownBy(() => add("g1", "5Many"))).toMatchObject({ code: "queue_full" });
  });

  test("are who asks, not which server brings it", async () => {
    const { queue } = tested(2);
    const brought = (id: string, caller: string) =>
      queue.run({ id, owner: "5Axon", caller, task: id });
    brought("a1", "5Many").catch(() => {});
    await soon();
    const last = ["b1", "c1"].map((id) => brought(id, "5Many"))[1];
    brought("d1", "5Few").catch(() => {});
    expect(await rejection(last)).toMatchObject({ code: "queue_full" });
    expect(queue.queued).toBe(2);
  });
});

describe("spare jobs", () => {
  /** Of callers that set no weights, and of one that does. */
  function mixed(limit: number, room = 1) {
    const made = tested(limit, room);
    const spare = (task: string, owner = "5Relay") => {
      const result = made.queue.run({ id: task, owner, task, spare: true });
      result.catch(() => {});
      return result;
    };
    return { ...made, spare };
  }

  test("run only while no other waits, and with no other", async () => {
    const { runs, add, spare } = mixed(9, 2);
    for (const task of ["a1", "b1"]) add(task, "5Validator");
    await soon();
    spare("a2");
    for (const task of ["a3", "c1"]) add(task, "5Validator");
    for (let k = 0; k < 4; k++) {
      runs.at(-1)?.end();
      await soon();
    }
    expect(runs.map(({ tasks }) => tasks)).toEqual([["a1"], ["b1"], ["a3"], ["c1"], ["a2"]]);
  });

  test("give way to others where all places are taken, and take no place of theirs", async () => {
    const { add, spare } = mixed(2);
    add("a1", "5Validator");
    await soon();
    const given = spare("b1");
    add("c1", "5Validator");
    add("d1", "5Validator");
    expect(await rejection(given)).toMatchObject({ code: "queue_full" });
    expect(thrownBy(() => spare("e1"))).toMatchObject({ code: "queue_full" });
  });
});
