import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { scriptProcess } from "../fixtures/cli.ts";
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
  const child = scriptProcess(MAIN, [
    ...["generate", "tau", "--compute", "cpu"],
    ...["--width", "64", "--height", "64", "--steps", "1", "--out", own("tau.png")],
  ], {
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

const LOADER = fileURLToPath(new URL("../fixtures/onnxruntime_main.ts", import.meta.url));

/** A proxy until the test ends, which notes what it is to connect to, and refuses. */
async function listeningProxy() {
  const asked: string[] = [];
  const first = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("error", () => {}).once("data", (data) => {
      asked.push(String(data).split("\r\n")[0]);
      first.resolve();
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, asked, first: first.promise };
}

/** A process that has loaded onnxruntime-node so, and whatever it says goes to the proxy. */
async function loaded(how: "bare" | "hosted", proxy: string): Promise<void> {
  const folder = await temporaryFolder();
  const child = scriptProcess(LOADER, [how], {
    ...{ stdin: "piped", stdout: "piped", clearEnv: true },
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      ...{ HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder, https_proxy: proxy },
      ...{ DENO_DIR: Deno.env.get("DENO_DIR") ?? await denoFolder(), DENO_NO_UPDATE_CHECK: "1" },
    },
  }).spawn();
  onTestFinished(async () => {
    await child.stdin.close();
    await child.status;
  });
  const output = child.stdout.getReader();
  expect(new TextDecoder().decode((await output.read()).value)).toBe("loaded\n");
  await output.cancel();
}

/**
 * Its client of HTTP honours `https_proxy`, so that no name has to be looked up to see whom it calls.
 * As the package comes it calls some eight seconds after it was loaded.
 */
test("onnxruntime-node calls nobody from our host, in the time in which it does by itself", async () => {
  const [ours, bare] = [await listeningProxy(), await listeningProxy()];
  await loaded("hosted", ours.url);
  await loaded("bare", bare.url);
  await bare.first;
  expect(bare.asked[0]).toMatch(/^CONNECT .*\.microsoft\.com:443 /);
  expect(ours.asked).toEqual([]);
});
