import { imageCodec } from "../../core/image/mod.ts";
import { Command } from "commander";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addressOf,
  checkSignedBody,
  PATHS,
  readSignedHeaders,
  signedHeaders,
  TRANSCRIPT_SECONDS,
} from "../../core/protocol/mod.ts";
import { decodeRequest } from "../../core/request/mod.ts";
import { median } from "../../core/bench/mod.ts";
import { type Hotkey, openHotkey } from "../../core/keys/mod.ts";
import { jsonLine } from "../telemetry/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { serve } from "../runtime/mod.ts";
import { ReplayWindow, RequestGuard } from "../http/mod.ts";
import { type ImageSource, MinerMetrics, minerRoutes } from "../miner/mod.ts";

interface FrontFlags {
  readonly requests: string;
  readonly rounds: string;
  readonly json: boolean;
}

/** Requests that are under way at once. */
const TOGETHER = 32;
const REQUEST = { prompt: "a golden tau symbol in a night sky with stars", steps: 20, seed: 5 };

export function frontCommand(): Command {
  return new Command("front")
    .description("Signed requests through the miner's front, against a bare server that verifies.")
    .option("--requests <n>", "of each round", "300")
    .option("--rounds <n>", "the two servers take turns", "21")
    .option("--json", "print one JSON object", false)
    .action(benchFront);
}

async function benchFront(flags: FrontFlags): Promise<void> {
  const count = wholeFlag("--requests", flags.requests, 1, 100_000);
  const rounds = wholeFlag("--rounds", flags.rounds, 1, 1000);
  const [miner, caller] = [openHotkey(undefined), openHotkey(undefined)];
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "stepwise-front-"));
  stack.defer(() => rm(folder, { recursive: true }));
  // On disk and with a log, as a miner has them.
  const replay = stack.use(new ReplayWindow(join(folder, "requests.sqlite")));
  const log = openSync(join(folder, "log"), "a");
  stack.defer(() => closeSync(log));
  // A busy machine makes no request too old.
  const signedAt = Date.now();
  const clock = () => signedAt;
  const source = stubbed();
  const front = minerRoutes({
    ...{
      source,
      codec: imageCodec,
      metrics: new MinerMetrics(source),
      self: miner.address,
      site: "/nowhere",
    },
    guard: new RequestGuard(miner.address, replay, clock),
    allowed: () => {},
    checkRequest: () => {},
    info: () => ({
      ...{ name: "", version: "", hotkey: miner.address, compute: "", models: [] },
      ...{ capacity: source.capacity(), transcriptSeconds: TRANSCRIPT_SECONDS },
    }),
    log: (rawMessage, properties, level = "info") => {
      const line = jsonLine({ level, rawMessage, properties, timestamp: signedAt });
      writeSync(log, `${line}\n`);
    },
  });
  const servers = {
    bare: served(async (request) => {
      const headers = readSignedHeaders(request.headers, miner.address, clock());
      checkSignedBody(headers, await request.bytes());
      return Response.json(MADE);
    }),
    front: served((request) => front.fetch(request)),
  };
  const rates: { readonly bare: number[]; readonly front: number[] } = { bare: [], front: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ["bare", "front"] as const) {
      const requests = await signedRequests(count, { miner, caller, signedAt });
      rates[name].push(await rate(servers[name].url, requests));
    }
  }
  for (const { server } of Object.values(servers)) await server.shutdown();
  const [bare, own] = [median(rates.bare), median(rates.front)];
  const refusal = await refusalMicroseconds(new RequestGuard(miner.address, replay));
  // Of neighbours in time: what else the machine does slows both.
  const ratio = median(rates.front.map((each, k) => each / rates.bare[k]));
  const report = { bare, front: own, ratio, refusalMicroseconds: refusal };
  console.log(
    flags.json ? JSON.stringify(report) : `bare server that verifies  ${bare.toFixed(0)} requests/s
the miner's front          ${own.toFixed(0)} requests/s
ratio                      ${ratio.toFixed(2)}  (0.60 or more; medians of ${rounds} rounds)
unsigned garbage           refused in ${refusal.toFixed(1)} us  (50 or less)`,
  );
}

const MADE = { images: [], notices: [] };

/** A source that makes nothing. */
function stubbed(): ImageSource {
  const nothing = () => Promise.reject(new Error("there is nothing"));
  const defaults = { width: 256, height: 256, steps: 20, guidanceScale: 5, seed: 0n };
  return {
    ...{ compute: "", models: [] },
    capacity: () => ({ batch: 1, queueLimit: 1, queued: 0, running: 0 }),
    requestOf: ({ request }) => Promise.resolve({ request: decodeRequest(request, defaults) }),
    run: () => Promise.resolve(MADE),
    cancel: () => false,
    opens: () => Promise.resolve(false),
    ...{ receipt: nothing, open: nothing, image: nothing, input: nothing, forget: nothing },
    close: () => Promise.resolve(),
  };
}

function served(answer: (request: Request) => Response | Promise<Response>) {
  const server = serve({ hostname: "127.0.0.1", port: 0 }, answer);
  return {
    server,
    url: addressOf(`http://127.0.0.1:${server.addr.port}`, PATHS.generations, {}).href,
  };
}

/** Signed before the clock runs. */
async function signedRequests(
  count: number,
  { miner, caller, signedAt }: {
    readonly miner: Hotkey;
    readonly caller: Hotkey;
    readonly signedAt: number;
  },
): Promise<RequestInit[]> {
  const body = new TextEncoder().encode(JSON.stringify({ request: REQUEST }));
  return await Promise.all(Array.from({ length: count }, async () => ({
    method: "POST",
    body,
    headers: await signedHeaders(
      { body, signedFor: miner.address, now: signedAt, uuid: crypto.randomUUID() },
      caller,
    ),
  })));
}

/** The cost of refusing an unsigned request. */
async function refusalMicroseconds(guard: RequestGuard): Promise<number> {
  const headers = { "epistula-version": "2", "epistula-signed-by": "x".repeat(100) };
  const request = new Request("http://miner/", { method: "POST", body: "junk", headers });
  const count = 20_000;
  const started = performance.now();
  for (let k = 0; k < count; k++) await guard.take(request, 1000).catch(() => {});
  return 1000 * (performance.now() - started) / count;
}

/** Requests a second. */
async function rate(url: string, requests: readonly RequestInit[]): Promise<number> {
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: TOGETHER }, async () => {
    while (next < requests.length) {
      const response = await fetch(url, requests[next++]);
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      await response.body?.cancel();
    }
  }));
  return 1000 * requests.length / (performance.now() - started);
}
