import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ExaminedRun } from "../../../core/adversary/mod.ts";
import { StudyJournal } from "../../../server/adversary/journal.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const step = {
  ...{ index: 0, cheated: true, flagged: true, ratio: Infinity, velocityError: NaN },
  ...{ tolerance: 0.01, similarity: 0, latentCosine: 0.5 },
};
const examined: ExaminedRun = { sights: [step], oddest: 0, calls: 0.5, work: 0.25 };
const never = () => Promise.reject(new Error("it is known"));

test("a study that was stopped goes on: what was found is read back, figures without a value too", async () => {
  const path = join(await temporaryFolder(), "study.ndjson");
  const first = await StudyJournal.open(path, { steps: 30 });
  await first.examined("reused", 0, () => Promise.resolve(examined));
  // Stopped while it wrote.
  await appendFile(path, '{"practice":"reused","run":1,"exam');

  const again = await StudyJournal.open(path, { steps: 30 });
  expect([again.has("reused", 0), again.has("reused", 1)]).toEqual([true, false]);
  expect(await again.examined("reused", 0, never)).toEqual(examined);
  await again.examined("reused", 1, () => Promise.resolve(examined));
  expect((await StudyJournal.open(path, { steps: 30 })).has("reused", 1)).toBe(true);
});

test("the file of a study of other images is refused", async () => {
  const path = join(await temporaryFolder(), "study.ndjson");
  await StudyJournal.open(path, { steps: 30 });
  expect(await rejection(StudyJournal.open(path, { steps: 20 }))).toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining('{"steps":30}'),
  });
});
