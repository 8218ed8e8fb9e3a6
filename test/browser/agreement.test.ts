import { expect, test } from "vitest";
import { runCli, runProcess } from "../fixtures/cli.ts";

test("Chrome's WebGPU and the CPU predict the same of each other's states", async () => {
  const flags = ["--hosts", "cpu,chrome", "--size", "32", "--steps", "2", "--json"];
  const { code, stdout, stderr } = await runProcess(["bench", "agreement", ...flags]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const lines: { maker: string; checker: string; float32: number[]; float16: number[] }[] = JSON
    .parse(stdout);
  expect(lines.map(({ maker, checker }) => `${maker} -> ${checker}`))
    .toEqual(["cpu -> cpu", "cpu -> chrome", "chrome -> cpu", "chrome -> chrome"]);
  const apart = lines.filter(({ maker, checker }) => maker !== checker);
  const errors = apart.flatMap(({ float32 }) => float32).toSorted((a, b) => a - b);
  expect(errors).toHaveLength(4);
  // Two sums in another order are never the same in all of a network's numbers.
  expect(errors[0]).toBeGreaterThan(0);
  expect(errors[2]).toBeLessThan(1e-4);
  expect(errors[3]).toBeLessThan(5e-3);
});

test("hosts that there are not are refused by name", async () => {
  expect(await runCli(["bench", "agreement", "--hosts", "cpu,tpu"])).toMatchObject({
    code: 2,
    stderr: "Cannot compare hosts: --hosts has tpu, none of cpu, native, chrome.\n",
  });
});
