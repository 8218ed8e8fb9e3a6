import { Command } from "commander";
import { LATENT_SCALE } from "../../core/latent_scale.ts";
import { numberFlag, wholeFlag } from "../cli/mod.ts";
import { decodeRequest, encodeRequest, randomSeed } from "../../core/request/mod.ts";
import {
  type Receipt,
  RECEIPT_VERSION,
  receiptId,
  signReceipt,
  sketchRun,
} from "../../core/transcript/mod.ts";
import { type Hotkey, openHotkey } from "../../core/keys/mod.ts";
import { serve } from "../runtime/mod.ts";
import {
  DEFAULT_STRESS,
  examine,
  Ledger,
  loadMiner,
  MinerCaller,
  type Peer,
  StressLoop,
  systemClock,
} from "../validator/mod.ts";

interface RoundFlags {
  readonly miners: string;
  readonly dead: string;
  readonly answer: string;
  readonly window: string;
  readonly max: string;
}

const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 0n };

export function roundCommand(): Command {
  return new Command("round")
    .description("A validator's round over many simulated miners, some of which never answer.")
    .option("--miners <n>", "that are on the subnet", "256")
    .option("--dead <n>", "of them that never answer, in the second round", "128")
    .option("--answer <ms>", "that an image takes a miner", "20")
    .option("--window <seconds>", "for which all are loaded", "3")
    .option("--max <n>", "concurrent requests of a test", "8")
    .action(benchRound);
}

/** How large a round is; milliseconds of an answer, seconds for which all are loaded. */
interface Sizing {
  readonly miners: number;
  readonly dead: number;
  readonly answer: number;
  readonly window: number;
  readonly max: number;
}

/** @throws AppError `invalid_request` naming the flag. */
function sizingOf(flags: RoundFlags): Sizing {
  const miners = wholeFlag("--miners", flags.miners, 2, 4096);
  return {
    miners,
    // At least one answers: the times are of those that do.
    dead: wholeFlag("--dead", flags.dead, 1, miners - 1),
    answer: numberFlag("--answer", flags.answer, 0, 60_000),
    window: numberFlag("--window", flags.window, 0.1, 600),
    max: wholeFlag("--max", flags.max, 1, 1024),
  };
}

async function benchRound(flags: RoundFlags): Promise<void> {
  const sizing = sizingOf(flags);
  const { miners, dead, window } = sizing;
  const alive = await round(sizing, miners, 0);
  const rest = await round(sizing, miners - dead, 0);
  const mixed = await round(sizing, miners - dead, dead);
  const line = (name: string, seconds: number, answering: number) =>
    `${name.padEnd(44)} ${seconds.toFixed(1)} s, ${(1000 * seconds / answering).toFixed(0)} ms a ` +
    "miner that answers";
  console.log([
    line(`${miners} miners, all answer`, alive, miners),
    line(`${miners - dead} miners, all answer`, rest, miners - dead),
    line(`${miners} miners, ${dead} never answer`, mixed, miners - dead),
    `One window is ${window} s; one after the other they would take ${window * miners} s`,
  ].join("\n"));
}

/** @returns seconds until all have been tested once. */
async function round(sizing: Sizing, alive: number, dead: number): Promise<number> {
  const keys = Array.from({ length: alive + dead }, () => openHotkey(undefined));
  const validator = openHotkey(undefined);
  const server = serveMiners(keys, alive, sizing.answer);
  const peers = keys.map(({ address }, uid): Peer => ({
    ...{ uid, hotkey: address, url: `http://127.0.0.1:${server.addr.port}/${uid}` },
  }));
  using ledger = new Ledger(":memory:");
  const caller = new MinerCaller(validator);
  const options = {
    ...DEFAULT_STRESS,
    ...{ max: sizing.max, windowMs: 1000 * sizing.window },
  };
  const draw = () => {
    const request = encodeRequest(
      decodeRequest({ prompt: "tau" }, { ...DEFAULTS, seed: randomSeed() }),
    );
    return Promise.resolve({ request, format: "png" as const, work: 1 });
  };
  const scorer = () =>
    Promise.resolve({
      ...{ verdict: "honest" as const, similarity: 1, velocityError: 0, worst: 0, reasons: [] },
    });
  const parts = {
    ...{ caller, scorer, draw, options, random: Math.random, clock: systemClock },
    isNew: () => true,
  };
  const started = performance.now();
  await using loop = new StressLoop({
    ...{ ledger, concurrency: 16, random: Math.random, clock: systemClock, options },
    restMs: 3_600_000,
    peers: () => peers,
    load: (peer, most, over) => loadMiner(peer, parts, most, over),
    examine: (peer, load) => examine(peer, load, parts),
    publish: () => {},
    log: () => {},
  });
  while (ledger.tests.latest().size < peers.length) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const seconds = (performance.now() - started) / 1000;
  await loop[Symbol.asyncDispose]();
  await server.shutdown();
  return seconds;
}

/** Miners that sign receipts of runs that never were; the last of them never answer. */
function serveMiners(keys: readonly Hotkey[], alive: number, answerMs: number) {
  return serve({ hostname: "127.0.0.1", port: 0 }, async (request) => {
    const uid = Number(new URL(request.url).pathname.split("/")[1]);
    if (uid >= alive) {
      // Until the validator gives up.
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
      return new Response();
    }
    if (request.method !== "POST") return Response.json({});
    const { request: asked } = await request.json();
    await new Promise((resolve) => setTimeout(resolve, answerMs));
    const receipt = await inventedReceipt(keys[uid], asked, request.headers);
    const image = { id: receiptId(receipt), receipt, token: "t".repeat(43) };
    return Response.json({ id: crypto.randomUUID(), images: [image], notices: [] });
  });
}

function inventedReceipt(hotkey: Hotkey, request: Receipt["request"], headers: Headers) {
  const now = Date.now();
  return signReceipt({
    ...{ version: RECEIPT_VERSION, request, plan: "cd".repeat(32), steps: DEFAULTS.steps },
    sketch: sketchRun("ef".repeat(32), Array(DEFAULTS.steps).fill(new Uint16Array(1))),
    backend: { host: "cpu", adapter: "cpu" },
    model: { id: "simulated", manifest: "ab".repeat(32), precision: "float32" },
    latent: [4, DEFAULTS.height / LATENT_SCALE, DEFAULTS.width / LATENT_SCALE],
    root: "ef".repeat(32),
    image: { sha256: "01".repeat(32), mediaType: "image/png", bytes: 1 },
    miner: hotkey.address,
    validator: headers.get("epistula-signed-by") ?? "",
    times: { started: now, finished: now },
  }, hotkey.sign);
}
