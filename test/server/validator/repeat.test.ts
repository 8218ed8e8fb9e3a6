import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { repeat } from "../../../server/validator/repeat.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("work is done at once and again, never twice at once, and what it throws is reported", async () => {
  const failures: unknown[] = [];
  let runs = 0;
  let atOnce = 0;
  const work = repeat(1000, async () => {
    expect(++atOnce).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    atOnce--;
    if (++runs === 2) throw new Error("the second");
  }, (error) => failures.push(error));
  // Each takes one and a half turns: it is begun at 0 s, 2 s, 4 s and 6 s.
  await vi.advanceTimersByTimeAsync(6000);
  expect(runs).toBe(3);
  expect(failures).toEqual([new Error("the second")]);
  let ended = false;
  const end = (async () => {
    await work[Symbol.asyncDispose]();
    ended = true;
  })();
  await vi.advanceTimersByTimeAsync(1000);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  await end;
  expect(runs).toBe(4);
});
