import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeReport } from "../../core/gpu/bench/mod.ts";
import { runCli } from "../fixtures/cli.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

test("bench measures a kernel, its graph and its copies in Chrome", async () => {
  const json = join(await temporaryFolder(), "report.json");
  const flags = ["--quick", "--seconds", "2", "--host", "chrome", "--filter", "step 64x64"];
  const { code, stderr, stdout } = await runCli(["bench", ...flags, "--json", json]);
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  const [{ host, software, rows, problems }] =
    decodeReport(JSON.parse(await Deno.readTextFile(json))).hosts;
  expect(host).toBe("chrome");
  expect(software).toMatch(/Chrome\/\d+/);
  expect(problems).toEqual([]);
  const kernels = rows.filter(({ kind }) => kind === "kernel" || kind === "onnx");
  expect(new Set(kernels.map(({ kind }) => kind))).toEqual(new Set(["kernel", "onnx"]));
  for (const { contender, agrees } of kernels) expect(agrees, contender).toBe(true);
});
