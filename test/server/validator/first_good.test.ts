import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../../server/validator/clock.ts";
import { firstGood } from "../../../server/validator/first_good.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function after(ms: number, result: string | Error): () => Promise<string> {
  return () =>
    new Promise((resolve, reject) =>
      setTimeout(() => result instanceof Error ? reject(result) : resolve(result), ms)
    );
}

test("the first is enough when it is in time: no other is started", async () => {
  const second = vi.fn(after(1, "second"));
  const result = firstGood([after(90, "first"), second], 100, systemClock);
  await vi.advanceTimersByTimeAsync(500);
  expect(await result).toEqual({ value: "first" });
  expect(second).not.toHaveBeenCalled();
});

test("a slow one gets company, and may still win", async () => {
  const result = firstGood([after(150, "slow"), after(500, "slower")], 100, systemClock);
  await vi.advanceTimersByTimeAsync(150);
  expect(await result).toEqual({ value: "slow" });
});

test("a failure starts the next at once", async () => {
  const result = firstGood([after(10, new Error("no")), after(10, "second")], 10_000, systemClock);
  await vi.advanceTimersByTimeAsync(20);
  expect(await result).toEqual({ value: "second" });
});

test("when all fail, it says why each did", async () => {
  const result = firstGood([after(5, new Error("a")), after(1, new Error("b"))], 1, systemClock);
  await vi.advanceTimersByTimeAsync(10);
  expect(await result).toEqual({ errors: [new Error("b"), new Error("a")] });
  expect(await firstGood([], 1, systemClock)).toEqual({ errors: [] });
});
