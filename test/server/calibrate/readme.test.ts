import { expect, test } from "vitest";
import calibration from "../../../models/tau-tiny-calibration.json" with { type: "json" };

const pairs: Readonly<Record<string, { readonly p50: number; readonly max: number }>> =
  calibration.checked.pairs;

test("the README's table of how far hosts are apart is that of the evidence", async () => {
  const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));
  const rows = [...readme.matchAll(/^\| (\S+ -> \S+) +\| (\S+) +\| (\S+) +\|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(9);
  for (const [, pair, median, largest] of rows) {
    expect([pair, Number(median), Number(largest)]).toEqual([
      pair,
      Number(pairs[pair].p50.toExponential(1)),
      Number(pairs[pair].max.toExponential(1)),
    ]);
  }
});
