import { expect, onTestFinished, test, vi } from "vitest";
import { repeat } from "../../../server/content/repeat.ts";

test("work that is slow is never done twice at once, and goes on after a failure", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  vi.spyOn(console, "error").mockImplementation(() => {});
  await using stack = new AsyncDisposableStack();
  const slow = Promise.withResolvers<void>();
  let turns = 0;
  repeat(stack, 1000, () => {
    turns++;
    return slow.promise;
  });
  await vi.advanceTimersByTimeAsync(5000);
  expect(turns).toBe(1);
  slow.reject(new Error("no network"));
  await vi.advanceTimersByTimeAsync(2000);
  expect(turns).toBe(3);
});
