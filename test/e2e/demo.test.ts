import { join } from "node:path";
import { expect, test } from "vitest";
import { runProcess, spawnCli } from "../fixtures/cli.ts";
import { filesIn, temporaryFolder } from "../fixtures/temporary_folder.ts";

test("deno task demo shows the circle, ends by itself, and leaves nothing running", async () => {
  const folder = await temporaryFolder();
  // A busy machine may take its time.
  const { code, stdout, stderr } = await runProcess(["demo", "--out", folder, "--minutes", "30"]);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).not.toMatch(/ NO {2}/);
  expect(stdout).toMatch(/^Bob .* honest /m);
  expect(stdout).toMatch(/^Eve \(cheats\) .* suspect +0\.0 % +0\.0 % +0\.000$/m);
  expect(filesIn(join(folder, "images")).filter((name) => name.endsWith(".png")).length)
    .toBeGreaterThanOrEqual(3);
  for (const [, url] of stdout.matchAll(/ (https?:\/\/\S+)$/gm)) {
    await expect(fetch(url)).rejects.toThrow();
  }
  const validator = await Deno.readTextFile(join(folder, "validator.log"));
  expect(validator).toMatch(/"event":"weights set"/);
});

/** Processes of this machine whose command line names the folder. */
function processesOf(folder: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const command = Deno.readTextFileSync(`/proc/${pid.name}/cmdline`).replaceAll("\0", " ");
      return command.includes(folder) ? [command] : [];
    } catch {
      // It has ended since.
      return [];
    }
  });
}

test.skipIf(Deno.build.os !== "linux")(
  "stopped while it starts, it leaves nothing running",
  async () => {
    const folder = await temporaryFolder();
    const demo = spawnCli(["demo", "--out", folder]);
    const ended = demo.output();
    const miners = () => processesOf(join(folder, "miner-"));
    while (miners().length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
    demo.kill("SIGTERM");
    const { code, stderr } = await ended;
    expect(code, new TextDecoder().decode(stderr)).toBe(130);
    expect(processesOf(folder)).toEqual([]);
  },
);

test.skipIf(Deno.build.os !== "linux")(
  "stopped before all was seen, it reports no failure",
  async () => {
    const folder = await temporaryFolder();
    const demo = spawnCli(["demo", "--out", folder]);
    const ended = demo.output();
    const log = "validator.log";
    const runs = () =>
      filesIn(folder).includes(log) &&
      Deno.readTextFileSync(join(folder, log)).includes(`"event":"validating"`);
    while (!runs()) await new Promise((resolve) => setTimeout(resolve, 50));
    demo.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect(code, new TextDecoder().decode(stderr)).toBe(130);
    expect(new TextDecoder().decode(stdout)).not.toMatch(/ NO {2}/);
    expect(processesOf(folder)).toEqual([]);
  },
);

test.skipIf(Deno.build.os !== "linux")(
  "a miner that cannot start ends it, and leaves nothing running",
  async () => {
    const folder = await temporaryFolder();
    // Where a folder should be.
    await Deno.writeTextFile(join(folder, "miner-Bob"), "");
    const { code, stderr } = await runProcess(["demo", "--out", folder]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Cannot start the Bob: it says/m);
    expect(processesOf(folder)).toEqual([]);
  },
);

test("what it cannot do is named, and it fails", async () => {
  const { code, stdout } = await runProcess([
    "demo",
    "--minutes",
    "0.1",
    "--out",
    await temporaryFolder(),
  ]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ NO {2}the chain paid the honest miners$/m);
});
