import { join } from "node:path";
import { expect, test } from "vitest";
import evidence from "../../../models/tau-tiny-adversary.json" with { type: "json" };
import { decodeStudy, LIMITS, studyParts } from "../../../core/adversary/mod.ts";
import { pageCommand, storedPage } from "../../../server/adversary/stored_page.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const study = decodeStudy(evidence);

test("the page has the limits before the findings, and every practice that was tried", () => {
  const page = storedPage(study);
  expect(page.indexOf("Limits first")).toBeLessThan(page.indexOf("Cheats at an image"));
  expect(LIMITS.length).toBeGreaterThan(3);
  for (const { name } of [...study.honest, ...study.cheats, ...study.notCaught]) {
    expect(page).toContain(`<td>${name}</td>`);
  }
  expect(page).not.toMatch(/NaN|undefined|<script|https?:/);
});

test("a practice's row says what its figures say", () => {
  const [{ head, rows }] = studyParts(study);
  const { passes, income } = study.cheats[0];
  const row = rows.find(([name]) => name === study.cheats[0].name) ?? [];
  expect(row[head.indexOf("by 3")]).toBe(`${(100 * (1 - passes.drawn[3])).toFixed(1)} %`);
  expect(row[head.indexOf("income")]).toBe(income.ours.toFixed(2));
});

test("the command draws it without a model, and says what is wrong with another file", async () => {
  const out = join(await temporaryFolder(), "page.html");
  await pageCommand().parseAsync(["--out", out], { from: "user" });
  expect(await Deno.readTextFile(out)).toBe(storedPage(study));
  expect(thrownBy(() => decodeStudy({ ...evidence, sizing: 1 }))).toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining("sizing"),
  });
});
