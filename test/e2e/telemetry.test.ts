import { expect, test } from "vitest";
import { join } from "node:path";
import { filesIn, temporaryFolder } from "../fixtures/temporary_folder.ts";
import { MAIN } from "./subnet_processes.ts";

/**
 * onnxruntime-node 1.30 leaves `Microsoft/DeveloperTools/.onnxruntime/deviceid` in the cache,
 * `.ses` and `mat-debug-<pid>.log` in the temporary folder, and sends what it gathered, unless its
 * telemetry is off before it is loaded. What it leaves is the sign that it is on.
 */
test("generate leaves nothing of a vendor's telemetry in the user's folders", async () => {
  const folder = await temporaryFolder();
  const own = (name: string) => join(folder, name);
  for (const name of ["home", "tmp", "cache"]) await Deno.mkdir(own(name));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", MAIN, "generate", "tau", "--compute", "cpu"],
      ...["--width", "64", "--height", "64", "--steps", "1", "--out", own("tau.png")],
    ],
    // Nothing of this process's environment, which may have the switch already.
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      ...{ HOME: own("home"), TMPDIR: own("tmp"), XDG_CACHE_HOME: own("cache") },
      // Deno's own folder is where it was, or it would fetch every package again.
      DENO_DIR: Deno.env.get("DENO_DIR") ?? await denoFolder(),
    },
  });
  const { code, stderr } = await child.output();
  expect(code, new TextDecoder().decode(stderr)).toBe(0);
  expect(filesIn(folder)).toEqual(["cache", "home", "tau.png", "tmp"]);
  for (const name of ["home", "tmp", "cache"]) expect(filesIn(own(name)), name).toEqual([]);
});

async function denoFolder(): Promise<string> {
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(info.stdout)).denoDir;
}
