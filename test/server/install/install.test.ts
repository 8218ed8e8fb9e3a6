import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { shellLauncher, windowsLauncher } from "../../../server/install/launcher.ts";
import { runCli, runProcess } from "../../fixtures/cli.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";

const run = promisify(execFile);

test("install makes a command of any folder and home, where the user stands", async () => {
  const folder = await temporaryFolder();
  const installed = await runProcess(["install", "--to", "my bin"], { INIT_CWD: folder });
  const path = join(folder, "my bin", "stepwise");
  expect(installed).toMatchObject({ code: 0, stderr: "" });
  expect(installed.stdout).toContain(`export PATH="${join(folder, "my bin")}:$PATH"`);
  const elsewhere = { ...process.env, HOME: await temporaryFolder(), INIT_CWD: "/" };
  const start = (...args: string[]) => run(path, args, { cwd: folder, env: elsewhere });
  const removed = await start("install", "--remove", "--to", "my bin");
  expect(removed.stdout).toBe(`${path} is gone\n`);
  expect(filesIn(folder)).toEqual(["my bin"]);
});

test("install replaces and removes no file but its own", async () => {
  const folder = await temporaryFolder();
  const mine = join(folder, "stepwise");
  await writeFile(mine, "mine");
  for (const args of [[], ["--remove"]]) {
    const { code, stderr } = await runCli(["install", "--to", folder, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain("a file that is not ours is there");
  }
  expect(filesIn(folder)).toEqual(["stepwise"]);
});

test("what a launcher starts it starts whole, and with the folders that are here", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "it's");
  const show = `printf '%s|' "$@" "$STEPWISE_COMMAND" "$KEPT" "$SET" "$NONE" "$INIT_CWD"`;
  const launch = {
    name: "it",
    command: ["/bin/sh", "-c", show, "it's $HOME"],
    folders: { KEPT: "/nowhere", SET: folder, NONE: "/no/such" },
  };
  await writeFile(path, shellLauncher(launch));
  await chmod(path, 0o755);
  const env = { KEPT: "mine", INIT_CWD: "/" };
  const { stdout } = await run(path, ["a b", ""], { env });
  expect(stdout).toBe(`a b||it|mine|${folder}|||`);
  expect(windowsLauncher(launch)).toContain(`@if not defined SET set "SET=${folder}"\r\n`);
});

test("under another name help and errors say that name", async () => {
  const env = { STEPWISE_COMMAND: "stepwise" };
  const help = await runCli(["generate", "--help"], env);
  expect(help.stdout).toContain("Usage: stepwise generate");
  expect(help.stdout).toContain("  stepwise generate ");
  expect(help.stdout).not.toContain("deno task");
  const { stderr } = await runCli(
    ["devnet", "register", "//Bob", "--endpoint", "ws://[::1]:9"],
    env,
  );
  expect(stderr).toContain("stepwise devnet starts one");
});
