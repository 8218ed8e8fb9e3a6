import { expect, test } from "vitest";
import { CallerTurns, type Turn } from "../../../server/miner/caller_turns.ts";
import { rejection } from "../../fixtures/rejection.ts";

/** Lets in, and says who came in, in order. */
function tested(room: () => number, limit = 1000) {
  const turns = new CallerTurns(room, limit);
  const order: string[] = [];
  const inside: { readonly name: string; readonly place: Disposable }[] = [];
  const enter = (name: string, more: Partial<Turn> = {}) => {
    const entered = turns.enter({ caller: name[0], ...more }).then((place) => {
      order.push(name);
      inside.push({ name, place });
    });
    entered.catch(() => {});
    return entered;
  };
  const leave = async () => {
    inside.shift()?.place[Symbol.dispose]();
    await settled();
  };
  return { turns, order, inside, enter, leave };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("a caller with many shares the places with one that comes later", async () => {
  const { order, inside, enter, leave } = tested(() => 4);
  for (let k = 0; k < 20; k++) void enter(`a${k}`);
  await settled();
  expect(order).toEqual(["a0", "a1", "a2", "a3"]);
  for (let k = 0; k < 4; k++) void enter(`b${k}`);
  for (let k = 0; k < 4; k++) await leave();
  expect(inside.map(({ name }) => name[0]).toSorted()).toEqual(["a", "a", "b", "b"]);
  for (let k = 0; k < 4; k++) await leave();
  // All of b's four have come in among eight.
  expect(order.slice(4, 12).filter((name) => name.startsWith("b"))).toHaveLength(4);
});

test("files that wait are bounded together: who has most of them gives way", async () => {
  const { turns, enter } = tested(() => 0);
  const bytes = 32 * 2 ** 20;
  const all = Array.from({ length: 16 }, (_, k) => enter(`a${k}`, { bytes }));
  expect(await rejection(enter("a16", { bytes }))).toMatchObject({ code: "queue_full" });
  void enter("b0", { bytes });
  expect(await rejection(all[15])).toMatchObject({ code: "queue_full" });
  void enter("c0");
  expect(turns.waiting).toBe(17);
});

test("spare ones come last, and each hears how many are before it", async () => {
  const { order, enter, leave } = tested(() => 1);
  const positions: number[] = [];
  void enter("a0");
  void enter("s0", { spare: true });
  void enter("b0", { onPosition: (position) => positions.push(position) });
  await settled();
  for (let k = 0; k < 3; k++) await leave();
  expect(order).toEqual(["a0", "b0", "s0"]);
  expect(positions[0]).toBe(2);
});

test("where all places are taken the last of who has most gives way, and who has most is refused", async () => {
  const { enter } = tested(() => 0, 3);
  const all = ["a0", "a1", "a2"].map((name) => enter(name));
  expect(await rejection(enter("a3"))).toMatchObject({ code: "queue_full", seconds: 5 });
  void enter("b0");
  expect(await rejection(all[2])).toMatchObject({ code: "queue_full" });
});

test("who gives up takes no place", async () => {
  const { turns, order, enter, leave } = tested(() => 1);
  const abort = new AbortController();
  void enter("a0");
  const given = enter("b0", { signal: abort.signal });
  abort.abort();
  expect(await rejection(given)).toMatchObject({ code: "cancelled" });
  expect(turns.waiting).toBe(0);
  void enter("c0");
  await leave();
  expect(order).toEqual(["a0", "c0"]);
});
