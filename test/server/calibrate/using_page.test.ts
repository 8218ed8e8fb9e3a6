import { expect, test } from "vitest";
import calibration from "../../../models/tau-tiny-calibration.json" with { type: "json" };

const pairs: Readonly<Record<string, { readonly p50: number; readonly max: number }>> =
  calibration.checked.pairs;

test("the table in USING.md of how far hosts are apart is that of the measurements", async () => {
  const page = await Deno.readTextFile(new URL("../../../.github/USING.md", import.meta.url));
  const rows = [...page.matchAll(/^\| (\S+ -> \S+) +\| (\S+) +\| (\S+) +\|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(9);
  for (const [, pair, median, largest] of rows) {
    expect([pair, Number(median), Number(largest)]).toEqual([
      pair,
      Number(pairs[pair].p50.toExponential(1)),
      Number(pairs[pair].max.toExponential(1)),
    ]);
  }
});
