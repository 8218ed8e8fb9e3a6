import { expect, test } from "vitest";
import { simulateDay } from "../../../server/bench/cluster_day.ts";

test("a simulated day loses nothing while workers die, and is the same day again", async () => {
  // Half an hour of a night, 15 requests a minute, on two GPUs that each die about four times an hour.
  const day = { images: 40_000, hours: 0.5, gpus: 2, batch: 4, seconds: 2, dying: 4 };
  const report = await simulateDay(day);
  expect(report).toMatchObject({ lost: 0, made: report.asked });
  // 40,000 a day are 833 in half an hour, of which the night has about 0.55.
  expect(report.asked).toBeGreaterThan(350);
  expect(report.asked).toBeLessThan(600);
  expect(report.deaths).toBeGreaterThan(0);
  // Who waits for a dead worker's job waits for its silence: 30 s, and the time of a run.
  expect(report.wait.p50).toBeGreaterThanOrEqual(2);
  expect(report.wait.max).toBeGreaterThan(32);
  expect(await simulateDay(day)).toEqual(report);
});
