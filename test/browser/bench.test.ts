import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeReport } from "../../core/bench/mod.ts";
import { chromeRuntime } from "../../server/bench/mod.ts";
import { readRecordedCalls } from "../../server/parts/recorded_calls.ts";
import { largestDifference, openPart } from "../../server/parts/run_part.ts";
import { runProcess } from "../fixtures/cli.ts";
import { writeTinySd } from "../fixtures/tiny_sd.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

test("bench measures a kernel, its graph and its copies in Chrome", async () => {
  const json = join(await temporaryFolder(), "report.json");
  const flags = ["--quick", "--seconds", "2", "--host", "chrome", "--filter", "step 64x64"];
  const { code, stderr, stdout } = await runProcess(["bench", ...flags, "--json", json]);
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

test("bench compares a model's loop with bare calls on both hosts, in every form", async () => {
  const folder = await temporaryFolder();
  const [model, json, html] = ["sd", "report.json", "report.html"].map((name) =>
    join(folder, name)
  );
  await writeTinySd(model);
  const flags = ["bench", "--quick", "--seconds", "1", "--filter", "loop", "--model", model];
  const { code, stderr, stdout } = await runProcess([...flags, "--json", json, "--html", html]);
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  const { hosts } = decodeReport(JSON.parse(await Deno.readTextFile(json)));
  expect(hosts.map(({ host }) => host)).toEqual(["native", "chrome"]);
  const page = await Deno.readTextFile(html);
  const ways = ["bare calls", "resident", "recorded", "read back"];
  for (const { host, rows, problems } of hosts) {
    expect(problems).toEqual([]);
    expect(rows.map(({ contender }) => contender)).toEqual(ways);
    for (const { contender, wallMs } of rows) {
      expect(wallMs.length).toBeGreaterThanOrEqual(3);
      expect(stdout).toContain(`${host} 64x64 ${contender} `);
      expect(page).toContain(`</b>${contender}`);
    }
  }
  const again = await runProcess([...flags, "--host", "native", "--compare", json]);
  const [, ...counts] = /(\d+) faster, (\d+) slower, (\d+) same, 0 new/.exec(again.stdout) ?? [];
  expect(counts.map(Number).reduce((sum, count) => sum + count, 0)).toBe(ways.length);
});

test("Chrome's WebGPU computes networks of ours as diffusers and transformers do", async () => {
  await using chrome = await chromeRuntime();
  for (const name of ["clip-l-quick-gelu", "controlnet-sdxl", "flux-schnell"]) {
    const folder = new URL(`../golden/architectures/${name}`, import.meta.url).pathname;
    await using part = await openPart(folder, chrome);
    for (const recorded of await readRecordedCalls(join(folder, "io.safetensors"))) {
      // Without what a UNet makes of a ControlNet's.
      const own = [...recorded.outputs].filter(([output]) => !output.startsWith("unet_"));
      const call = { ...recorded, outputs: new Map(own) };
      const { relative, output } = largestDifference(call, await part.run(call.inputs));
      expect(relative, `${name} ${call.name} ${output}`).toBeLessThanOrEqual(2e-5);
    }
  }
});
