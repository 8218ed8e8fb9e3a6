import { expect, test } from "vitest";
import { OneAtATime } from "../../browser/app/worker/one_at_a_time.ts";

/** A job that ends when it is cancelled, and says when it is at work. */
function job(events: string[], name: string) {
  return (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      events.push(`${name} begins`);
      signal.addEventListener("abort", () => {
        events.push(`${name} ends`);
        reject(signal.reason);
      });
    });
}

test("a newer job ends the older one, and begins when that has ended", async () => {
  const events: string[] = [];
  const runs = new OneAtATime();
  const first = runs.run(job(events, "first"));
  await Promise.resolve();
  const second = runs.run(() => Promise.resolve(events.push("second begins")));
  await expect(first).rejects.toMatchObject({ code: "cancelled" });
  await second;
  expect(events).toEqual(["first begins", "first ends", "second begins"]);
});

test("one that was cancelled before its turn never begins", async () => {
  const events: string[] = [];
  const runs = new OneAtATime();
  const only = runs.run(job(events, "only"));
  runs.cancel();
  await expect(only).rejects.toMatchObject({ code: "cancelled" });
  expect(events).toEqual([]);
  await runs.end();
  expect(await runs.run(() => Promise.resolve(1))).toBe(1);
});

test("one that never ends is abandoned when it is cancelled", async () => {
  const runs = new OneAtATime();
  const stuck = runs.run(() => new Promise<never>(() => {}));
  await Promise.resolve();
  runs.cancel();
  await expect(stuck).rejects.toMatchObject({ code: "cancelled" });
  expect(await runs.run(() => Promise.resolve(1))).toBe(1);
});

test("one that has ended is not cancelled: what it made is used by others", async () => {
  const runs = new OneAtATime();
  const signal = await runs.run((signal) => Promise.resolve(signal));
  runs.cancel();
  await runs.run(() => Promise.resolve());
  expect(signal.aborted).toBe(false);
});
