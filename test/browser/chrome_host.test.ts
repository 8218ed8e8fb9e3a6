import { afterAll, beforeAll, expect, test } from "vitest";
import { join } from "node:path";
import { fromHalf } from "../../core/half.ts";
import { decodeRequest } from "../../core/request/mod.ts";
import type { GenerateOptions, ImageEngine } from "../../core/generation/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { encodeFrames } from "../../core/remote/mod.ts";
import { ChromeHost } from "../../server/compute/chrome_host.ts";
import { ChromeServer } from "../../server/compute/chrome_server.ts";
import { ChromeSession } from "../../server/compute/chrome_session.ts";
import { type ComputeHost, locateChrome, openCompute } from "../../server/compute/mod.ts";
import { openModel } from "../../server/models/mod.ts";
import { runCli, scriptProcess } from "../fixtures/cli.ts";
import { descendants, isRunning, until } from "../fixtures/processes.ts";
import { rejection } from "../fixtures/rejection.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { type TinySdOptions, writeTinySd } from "../fixtures/tiny_sd.ts";

let chrome: ChromeHost;
let cpu: ComputeHost;
let files: ModelFiles;
/** One engine for all tests, through all its Chromes. */
let engine: ImageEngine;
const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
beforeAll(async () => {
  files = await tinySd(folder);
  [chrome, cpu] = await Promise.all([ChromeHost.start(), openCompute("cpu")]);
  engine = await chrome.open(files);
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await chrome[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

async function tinySd(folder: string, options: TinySdOptions = {}): Promise<ModelFiles> {
  await writeTinySd(folder, options);
  return await openModel(folder);
}

/** Leaves by name in the order emitted, and what else came of it. */
async function generate(engine: ImageEngine, steps: number, options: GenerateOptions = {}) {
  const leaves: (readonly [string, Uint16Array])[] = [];
  const request = decodeRequest(
    { prompt: "tau", width: 64, height: 64, steps, seed: 1 },
    { ...engine.defaults, seed: 0n },
  );
  const generation = await engine.generate(request, {
    onLeaf: ({ kind, index, bits }) => leaves.push([`${kind}.${index}`, bits]),
    ...options,
  });
  return { ...generation, leaves };
}

const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));

test("requests of one batch reach Chrome, and their images come back in order", async () => {
  await using here = await cpu.open(files);
  const request = (prompt: string, seed: number) =>
    decodeRequest({ prompt, width: 64, height: 64, steps: 1, seed }, {
      ...{ ...engine.defaults, seed: 0n },
    });
  const [one, other] = [request("tau", 1), request("a ring", 2)];
  const { images } = await engine.generate(one, { batchedWith: [other] });
  for (const [k, each] of [one, other].entries()) {
    const { images: [alone] } = await here.generate(each);
    const differences = images[k].data.map((value, i) => Math.abs(value - alone.data[i]));
    expect(Math.max(...differences)).toBeLessThanOrEqual(2);
  }
  expect(images[0].data).not.toEqual(images[1].data);
});

test("chrome gives the CPU's leaves and image", async () => {
  await using here = await cpu.open(files);
  expect(engine.defaults).toEqual(here.defaults);
  const steps: number[] = [];
  const got = await generate(engine, 2, { onStep: ({ index }) => steps.push(index) });
  const expected = await generate(here, 2);
  expect(steps).toEqual([0, 1]);
  expect(got.plan).toEqual(expected.plan);
  expect(got.latentDims).toEqual(expected.latentDims);
  expect(got.leaves.map(([name]) => name)).toEqual(["x.0", "d.0", "x.1", "d.1", "x.2"]);
  for (const [k, [name, bits]] of got.leaves.entries()) {
    const [a, b] = [fromHalf(bits), fromHalf(expected.leaves[k][1])];
    // A sum in another order lands on the other side of a float16 rounding now and then: half a
    // unit of float16 at the latents' size (up to 16: 2^-7), twice after the second step.
    const error = largest([...a].map((value, i) => value - b[i]));
    expect(error, name).toBeLessThan(2 ** -6);
  }
  for (const [k, { width, height, data }] of got.images.entries()) {
    expect([width, height]).toEqual([64, 64]);
    const levels = [...data].map((level, i) => level - expected.images[k].data[i]);
    expect(largest(levels)).toBeLessThanOrEqual(2);
  }
});

const killed = {
  "Chrome": (pid: number) => [pid],
  "its page": (pid: number) => descendants(pid, /--type=renderer/),
  "its GPU process": (pid: number) => descendants(pid, /--type=gpu-process/),
};

/** So many that a kill reaches Chrome in the middle, also where this process learns of it late. */
const STEPS = 80;
/** The run that the tests disturb, undisturbed. */
let whole: ReturnType<typeof generate> | undefined;

/** Kills a part of the Chrome that is running now. */
async function kill(part: keyof typeof killed): Promise<void> {
  const { pid = 0 } = await chrome.session();
  const victims = killed[part](pid);
  expect(victims.length).toBeGreaterThan(0);
  for (const victim of victims) Deno.kill(victim, "SIGKILL");
}

test.each(["Chrome", "its GPU process"] as const)(
  "a run goes on when %s is killed in the middle, and emits each leaf once",
  async (part) => {
    const undisturbed = await (whole ??= generate(engine, STEPS));
    const before = (await chrome.session()).pid;
    const steps: number[] = [];
    const kills: Promise<void>[] = [];
    const onStep = ({ index }: { index: number }) => {
      steps.push(index);
      if (index === 1) kills.push(kill(part));
    };
    const { leaves, images } = await generate(engine, STEPS, { onStep });
    await Promise.all(kills);
    expect(leaves).toEqual(undisturbed.leaves);
    expect(images).toEqual(undisturbed.images);
    expect(steps).toEqual(Array.from({ length: STEPS }, (_, index) => index));
    expect((await chrome.session()).pid).not.toBe(before);
    expect(isRunning(before ?? 0)).toBe(false);
  },
);

test("a crashed page and a killed Chrome: one clear error, and the next run works", async () => {
  const kills: Promise<void>[] = [];
  const onStep = ({ index }: { index: number }) => {
    if (index === 0) kills.push(kill("its page"));
    // Seconds away: emitted by the second Chrome, which repeats the run when the first's page is dead.
    if (index === 120) kills.push(kill("Chrome"));
  };
  await expect(generate(engine, 240, { onStep })).rejects.toMatchObject({
    code: "host_failed",
    message: expect.stringContaining("Cannot compute in Chrome: Chrome was killed by SIGKILL"),
  });
  await Promise.all(kills);
  expect(kills).toHaveLength(2);
  expect((await generate(engine, 1)).leaves).toHaveLength(3);
});

test("a Chrome that hangs is noticed while it is idle, and while it runs", async () => {
  await using server = await ChromeServer.start({ silence: 4 });
  const program = await locateChrome();
  await Promise.all(["nothing", "opens a model"].map(async (work) => {
    await using session = await ChromeSession.start(program, server);
    expect(session.alive).toBe(true);
    const { pid = 0 } = session;
    for (const each of [pid, ...descendants(pid, /./)]) Deno.kill(each, "SIGSTOP");
    const { model } = server.serve(files);
    const job = work === "nothing" ? undefined : rejection(session.call({ type: "open", model }));
    await until(() => !session.alive, `the Chrome that does ${work} is given up`);
    if (job) expect(await job).toMatchObject({ code: "host_failed" });
  }));
});

test("a device that is lost right after the page's hello ends its Chrome", async () => {
  const hello = { type: "hello", device: { name: "a GPU", software: false } };
  const frames = [hello, { type: "lost", reason: "its device is lost" }].flatMap((message) =>
    encodeFrames(message as never).map((frame) => [...frame])
  );
  await using server = fakePage(
    `const socket = new WebSocket("ws://" + location.host);
    socket.onopen = () => {
      for (const frame of ${JSON.stringify(frames)}) socket.send(Uint8Array.from(frame));
    };`,
  );
  await using session = await ChromeSession.start(await locateChrome(), server);
  expect(session.device.name).toBe("a GPU");
  await until(() => !session.alive, "the session is given up");
  const call = session.call({ type: "close", engine: 1 });
  await expect(call).rejects.toThrow("Cannot compute in Chrome: its device is lost");
});

/** A page of one script, and the socket that it opens. */
function fakePage(script: string): Pick<ChromeServer, "visit"> & AsyncDisposable {
  const { promise, resolve } = Promise.withResolvers<WebSocket>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.headers.get("upgrade") !== "websocket") {
      const headers = { "content-type": "text/html" };
      return new Response(`<script>${script}</script>`, { headers });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => resolve(socket), { once: true });
    return response;
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return {
    visit: () => ({ url, socket: promise, [Symbol.dispose]: () => {} }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

test("a run is cancelled, a callback's error is the caller's, and the engine keeps working", async () => {
  const controller = new AbortController();
  const cancelled = generate(engine, 200, {
    signal: controller.signal,
    onStep: () => controller.abort(),
  });
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
  const thrown = generate(engine, 200, {
    onStep: () => {
      throw new RangeError("mine");
    },
  });
  await expect(thrown).rejects.toThrow(RangeError);
  expect((await generate(engine, 1)).images).toHaveLength(1);
});

test("a float16 model is refused where the adapter has no shader-f16", async () => {
  const { device } = await chrome.session();
  if (!device.software) return;
  const half = await tinySd(await temporaryFolder(), { precision: "float16" });
  await expect(chrome.open(half)).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(/it computes in float16, and .* has no shader-f16/),
  });
});

test("a missing file is named, with its folder", async () => {
  const files = await tinySd(await temporaryFolder());
  await Deno.remove(join(files.location, "unet/model.onnx"));
  await expect(chrome.open(files)).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringMatching(/^Cannot read unet\/model\.onnx of .*missing/),
  });
});

test("generate --compute chrome draws, and says why when it cannot", async () => {
  const out = join(await temporaryFolder(), "x.png");
  const args = ["generate", "tau", "--model", files.location, "--compute", "chrome", "--out", out];
  const size = ["--width", "16", "--height", "16", "--steps", "1", "--seed", "1", "--json"];
  const run = await runCli([...args, ...size]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(run.stdout).compute).toMatchObject({
    runtime: expect.stringContaining("onnxruntime-web"),
    reason: expect.stringContaining("chosen by --compute chrome"),
  });
  expect(Deno.statSync(out).size).toBeGreaterThan(50);
  const lost = await runCli([...args, ...size, "--force", "--chrome-path", "/nowhere"]);
  expect(lost.code).toBe(2);
  expect(lost.stderr).toBe("Cannot start Chrome: --chrome-path is /nowhere, no file.\n");
});

const MAIN = new URL("../fixtures/chrome_host_main.ts", import.meta.url).pathname;

/** Starts a process with a Chrome of its own. */
async function processWithChrome(argument: string) {
  const child = scriptProcess(MAIN, [argument], { stdout: "piped", stderr: "null" }).spawn();
  const { value } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
  return { child, pid: Number(value) };
}

test.each(["SIGKILL", "SIGTERM", "exit", "throw"])(
  "no Chrome outlives its process: %s",
  async (way) => {
    const { child, pid } = await processWithChrome(way);
    expect(pid).toBeGreaterThan(1);
    if (way.startsWith("SIG")) child.kill(way as Deno.Signal);
    await child.status;
    await until(() => !isRunning(pid), `Chrome ${pid} is gone`);
  },
);
