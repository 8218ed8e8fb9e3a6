import { expect, onTestFinished, test, vi } from "vitest";
import { AppError, type ErrorCode } from "../../../core/error.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { EngineWatch } from "../../../server/neuron/mod.ts";

const defaults = { width: 64, height: 64, steps: 1, guidanceScale: 1 };
const REQUEST = decodeRequest({ prompt: "tau" }, { ...defaults, seed: 1n });

/** An engine whose jobs end as they are told to, watched, and what was logged. */
function watched() {
  let code: ErrorCode | undefined;
  const job = () =>
    code ? Promise.reject(new AppError(code, "Cannot compute: so it is")) : Promise.resolve();
  const own = { model: "m", compute: "c", defaults, generate: job, predict: job, decode: job };
  const events: string[] = [];
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const watch = new EngineWatch(
    { ...own, [Symbol.asyncDispose]: job } as unknown as ImageEngine,
    (event) => events.push(event),
  );
  return { watch, events, fail: (next: ErrorCode | undefined) => void (code = next) };
}

test.each<[ErrorCode, boolean]>([
  ["device_lost", true],
  ["host_failed", true],
  ["host_unavailable", true],
  // Of a request, which another may not share.
  ["inference_failed", false],
  ["gpu_failed", false],
  ["cancelled", false],
])("after %s an engine counts as lost: %s", async (code, lost) => {
  const { watch, fail } = watched();
  await using _ = watch;
  expect(watch.engine.problem).toBeUndefined();
  fail(code);
  await expect(watch.engine.predict(REQUEST, [])).rejects.toMatchObject({ code });
  expect(watch.engine.problem).toBe(
    lost ? "The engine is lost: Cannot compute: so it is." : undefined,
  );
});

test("one that is lost is tried until it is back, and each is one event", async () => {
  const { watch, events, fail } = watched();
  fail("device_lost");
  await expect(watch.engine.generate(REQUEST)).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(watch.engine.problem).toMatch(/lost/);
  fail(undefined);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(watch.engine.problem).toBeUndefined();
  expect(events).toEqual(["engine_lost", "engine_back"]);
  await watch[Symbol.asyncDispose]();
  expect(vi.getTimerCount()).toBe(0);
});
