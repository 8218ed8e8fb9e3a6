import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Command } from "commander";
import { encodeImage, type RgbaImage } from "../../core/image/mod.ts";
import { median } from "../../core/bench/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { type ComputeHost, computeOption, openCompute, parseComputeKind } from "../compute/mod.ts";
import type { Make } from "../gateway/mod.ts";
import { openModel } from "../models/mod.ts";
import { openDoor, recordOf } from "./gateway_door.ts";
import type { WatchOrder } from "./gateway_watchers.ts";

interface GatewayFlags {
  readonly jobs: string;
  readonly images: string;
  readonly watchers: string;
  readonly rounds: string;
  readonly compute: string;
  readonly json: boolean;
}

const REQUEST = { prompt: "a golden tau symbol in a night sky with stars", steps: 20 };
/** Jobs that are sent at once. */
const TOGETHER = 16;
const WATCHERS_MODULE = new URL("./gateway_watchers.ts", import.meta.url);
/** Milliseconds of a step of a miner that is elsewhere. */
const STEP_MS = 100;

export function gatewayCommand(): Command {
  return new Command("gateway")
    .description("Jobs accepted, what the door adds to an image, and what those who watch cost.")
    .option("--jobs <n>", "that are accepted", "1000")
    .option("--images <n>", "that are made, to see what the door adds", "10")
    .option("--watchers <n>", "of one job", "500")
    .option("--rounds <n>", "jobs with watchers and without take turns", "5")
    .addOption(computeOption().default("cpu"))
    .option("--json", "print one JSON object", false)
    .action(benchGateway);
}

async function benchGateway(flags: GatewayFlags): Promise<void> {
  const number = (name: "jobs" | "images" | "watchers" | "rounds") =>
    wholeFlag(`--${name}`, flags[name], 1, 100_000);
  const accepted = await acceptedJobs(number("jobs"));
  await using host = await openCompute(parseComputeKind(flags.compute));
  const door = await doorOfImages(host, number("images"));
  const watched = await watchedJobs(number("watchers"), number("rounds"));
  const report = { accepted, door, watched };
  console.log(flags.json ? JSON.stringify(report) : text(report));
}

interface Report {
  readonly accepted: Awaited<ReturnType<typeof acceptedJobs>>;
  readonly door: Awaited<ReturnType<typeof doorOfImages>>;
  readonly watched: Awaited<ReturnType<typeof watchedJobs>>;
}

function text({ accepted, door, watched }: Report): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `accepted   ${accepted.aSecond.toFixed(0)} jobs/s, ${TOGETHER} at once; alone in ${
    accepted.aloneMs.toFixed(1)
  } ms (50 or less)
the door   ${door.doorMs.toFixed(1)} ms of an image's ${door.imageMs.toFixed(0)} ms: ${
    percent(door.share)
  } (3 % or less; median)
watchers   ${watched.watchers} get ${watched.events} events, ${
    (watched.bytes / 2 ** 20).toFixed(1)
  } MiB; the job is slower by ${percent(watched.slower)} (5 % or less; median), and the last ` +
    `hears of its end after ${watched.lastMs.toFixed(0)} ms`;
}

/** How fast jobs are accepted while none is made. */
async function acceptedJobs(count: number) {
  const never: Make = (_request, _format, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  // What runs never ends, so that nothing of it is in the figures; it is not waited for.
  const door = await openDoor(never, 0);
  const alone: number[] = [];
  for (let k = 0; k < 50; k++) alone.push(await msOf(() => door.submit(REQUEST)));
  let left = count;
  const ms = await msOf(() =>
    Promise.all(Array.from({ length: TOGETHER }, async () => {
      while (left-- > 0) await door.submit(REQUEST);
    }))
  );
  await door[Symbol.asyncDispose]();
  return { aSecond: 1000 * count / ms, aloneMs: median(alone) };
}

/** What an application waits for besides the image itself, of images that are made here. */
async function doorOfImages(host: ComputeHost, count: number) {
  await using engine = await host.open(await openModel("embedded"));
  let making = 0;
  const make: Make = async (request, _format, { onStep }) => {
    const started = performance.now();
    const { images: [image] } = await engine.generate(request, {
      onStep: ({ index, steps }) => onStep({ step: index + 1, steps }),
    });
    const made = await madeOf(request, image);
    making = performance.now() - started;
    return made;
  };
  await using door = await openDoor(make);
  const shares: { readonly doorMs: number; readonly imageMs: number }[] = [];
  for (let k = -1; k < count; k++) {
    const ms = await msOf(async () =>
      await door.finish(await door.submit({ ...REQUEST, seed: 1 }))
    );
    // The first warms up.
    if (k >= 0) shares.push({ doorMs: ms - making, imageMs: ms });
  }
  return {
    doorMs: median(shares.map(({ doorMs }) => doorMs)),
    imageMs: median(shares.map(({ imageMs }) => imageMs)),
    share: median(shares.map(({ doorMs, imageMs }) => doorMs / imageMs)),
  };
}

/** How much longer a job takes of which many read the events, previews and all. */
async function watchedJobs(watchers: number, rounds: number) {
  let begin = Promise.withResolvers<void>();
  const make: Make = async (request, _format, { onStep }) => {
    await begin.promise;
    const preview = await previewOf();
    for (let step = 1; step <= request.steps; step++) {
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
      onStep({ step, steps: request.steps, preview });
    }
    return await madeOf(request, picture(256));
  };
  await using door = await openDoor(make);
  const run = async (many: number) => {
    begin = Promise.withResolvers<void>();
    const id = await door.submit(REQUEST);
    const url = `${door.url}/v1/jobs/${id}/events`;
    const crowd = await Crowd.open({ url, authorization: door.authorization, watchers: many });
    const begun = Date.now();
    begin.resolve();
    const read = await crowd.read();
    const heard = Date.now();
    const ended = await door.endOf(id);
    return { ms: ended - begun, lastMs: heard - ended, ...read };
  };
  const slower: number[] = [];
  const last: number[] = [];
  let read = { events: 0, bytes: 0 };
  for (let k = 0; k < rounds; k++) {
    const [alone, all] = [await run(1), await run(watchers)];
    slower.push(all.ms / alone.ms - 1);
    last.push(all.lastMs);
    read = { events: all.events, bytes: all.bytes };
  }
  return { watchers, ...read, slower: median(slower), lastMs: median(last) };
}

/** Clients in a thread of their own. */
class Crowd {
  readonly #worker: Worker;
  readonly #read: Promise<unknown[]>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#read = once(worker, "message");
  }

  /** @returns when all of them watch. */
  static async open(order: WatchOrder): Promise<Crowd> {
    const worker = new Worker(WATCHERS_MODULE);
    worker.postMessage(order);
    await once(worker, "message");
    return new Crowd(worker);
  }

  /** What all of them read, at the end. */
  async read(): Promise<{ readonly events: number; readonly bytes: number }> {
    const { events, bytes } = Object((await this.#read)[0]);
    await this.#worker.terminate();
    return { events, bytes };
  }
}

async function madeOf(request: GenerationRequest, image: RgbaImage) {
  const file = await encodeImage(image, "png");
  return { image: file, record: await recordOf(request, file.length) };
}

/** As long as tau-tiny's: 32x32 pixels of noise. */
async function previewOf(): Promise<string> {
  return `data:image/png;base64,${(await encodeImage(picture(32), "png")).toBase64()}`;
}

/** Of no pattern that would make its file short. */
function picture(side: number): RgbaImage {
  const data = crypto.getRandomValues(new Uint8Array(Math.min(4 * side * side, 65_536)));
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (let k = 0; k < pixels.length; k++) pixels[k] = k % 4 === 3 ? 255 : data[k % data.length];
  return { width: side, height: side, data: pixels };
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
