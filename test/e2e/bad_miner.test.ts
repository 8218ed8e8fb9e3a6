import { join } from "node:path";
import { DEFAULT_JOBS, DEFAULT_WEBHOOKS } from "../../server/gateway/mod.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspect } from "node:util";
import { openWallet, type SubtensorClient, type Wallet } from "../../server/chain/mod.ts";
import { DEFAULT_FORWARD } from "../../server/validator/forwarder.ts";
import { DEFAULT_STRESS } from "../../server/validator/mod.ts";
import { startValidator, type Validator } from "../../server/validator/start_validator.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { ask, IP, seen, startSubnet, type Subnet, until } from "./subnet_processes.ts";

type Answer = (
  request: Request,
  pass: () => Promise<Response>,
) => Response | Promise<Response>;

/** Of all cases: the bad //Bob, the good //Charlie, and how //Bob answers now. */
let subnet: Subnet;
let chain: SubtensorClient;
let alice: Wallet;
let answerOfBob: Answer = (_, pass) => pass();
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  subnet = await startSubnet(["//Bob", "//Charlie"], {}, (stop) => stack.defer(stop));
  const proxy = spoil((request, pass) => answerOfBob(request, pass));
  const bob = await subnet.miner("//Bob", ["--axon.external_port", String(proxy.port)]);
  proxy.to(bob.url);
  await subnet.miner("//Charlie");
  alice = await openWallet({ path: "", name: "", hotkey: "//Alice", network: "devnet" });
  chain = await subnet.client();
});
afterAll(() => stack.disposeAsync());

/** A proxy in front of a real miner that spoils its answers. */
function spoil(
  answer: Answer,
): { readonly port: number; readonly to: (url: string) => void } {
  let target = "";
  const stop = new AbortController();
  const options = { hostname: IP, port: 0, onListen: () => {}, signal: stop.signal };
  const server = Deno.serve(options, (request) => {
    const { pathname, search } = new URL(request.url);
    return answer(request, async () =>
      await fetch(`${target}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        ...(request.method === "POST" && { body: await request.bytes() }),
        // A slow one may outlive its miner.
      }).catch(() => new Response("", { status: 502 })));
  });
  stack.defer(() => stop.abort());
  return { port: server.addr.port, to: (url) => void (target = url) };
}

/** Of no earlier case's memory, in this process; it asks miners for users alone, and checks all. */
function startOwn(
  name: string,
  timeoutMs: number,
  log: (line: string) => void,
): Promise<Validator> {
  return startValidator({
    ...{ wallet: alice, chain, hostname: "127.0.0.1", port: 0, model: "embedded", compute: "cpu" },
    folder: join(subnet.folder, name),
    log: (event, fields) => log(`${event} ${inspect(fields)}`),
    ...{ roles: { forward: true, score: true, stress: false }, epochLength: 8, privateAxons: true },
    forward: { ...DEFAULT_FORWARD, hedgeMs: 1000, timeoutMs, checkShare: 1 },
    ...{ stress: DEFAULT_STRESS, concurrency: 1, restMs: 60_000, synthetic: {} },
    ...{ apiKeys: join(subnet.folder, "keys.txt"), allowed: [], origins: [] },
    ...{ requestsPerMinute: 1000, jobs: DEFAULT_JOBS, webhooks: DEFAULT_WEBHOOKS },
  });
}

const isCall = (request: Request) => request.method === "POST";
const never = new Promise<Response>(() => {});
/** Resolves when the caller waits no longer. */
const givenUp = ({ signal }: Request) =>
  new Promise((resolve) => signal.addEventListener("abort", resolve));
/** How often a bad one is asked before it has failed: the first receipt of another is its own. */
const callsOf = (name: string) => name.includes("another request") ? 2 : 1;

describe("a miner that answers", () => {
  test.each<[string, Answer, RegExp, "a failure" | "a cheat"]>([
    [
      "never",
      (request, pass) => isCall(request) ? never : pass(),
      /no whole answer within 10 s/,
      "a failure",
    ],
    [
      "slowly",
      async (request, pass) => {
        if (isCall(request)) await givenUp(request);
        return await pass();
      },
      /no whole answer within 10 s/,
      "a failure",
    ],
    [
      "with garbage",
      (request, pass) => isCall(request) ? new Response("<html>hello</html>") : pass(),
      /not valid JSON/,
      "a failure",
    ],
    [
      "with an endless answer",
      (request, pass) =>
        isCall(request)
          ? new Response(
            new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65536).fill(32)) }),
          )
          : pass(),
      /more than \d+ bytes/,
      "a failure",
    ],
    [
      "with the wrong image",
      async (request, pass) => {
        if (!request.url.includes("/image")) return await pass();
        const bytes = await (await pass()).bytes();
        bytes[bytes.length - 20] ^= 1;
        return new Response(bytes);
      },
      /its image is not the expected one/,
      "a cheat",
    ],
    [
      "with another request's receipt",
      (() => {
        let kept: string | undefined;
        return async (request, pass) => {
          if (!isCall(request)) return await pass();
          const response = await pass();
          kept ??= await response.text();
          return Response.json(JSON.parse(kept));
        };
      })(),
      /its request is not the expected one/,
      "a cheat",
    ],
    [
      "with a valid receipt and no openings",
      (request, pass) =>
        request.url.includes("/steps/") ? new Response("no", { status: 404 }) : pass(),
      /the miner answered 404/,
      "a failure",
    ],
  ])("%s fails that user's request, which another serves", async (...of) => {
    const [name, answer, why, kind] = of;
    let calls = 0;
    answerOfBob = (request, pass) => {
      if (isCall(request)) calls++;
      return answer(request, pass);
    };
    const lines: string[] = [];
    // A good one on a busy machine is not to come late.
    const timeoutMs = why.source.includes("within 10 s") ? 10_000 : PATIENCE_MS;
    await using validator = await startOwn(name, timeoutMs, (line) => lines.push(line));
    // Whichever is asked first: sooner or later it is the bad one.
    while (calls < callsOf(name)) {
      const response = await ask(validator, { seed: Math.floor(1e6 * Math.random()) });
      const answered = await response.json();
      expect(response.status, JSON.stringify(answered)).toBe(200);
      if (calls === callsOf(name)) expect(answered.miner.uid).toBe(2);
    }
    const own = ({ miners }: Awaited<ReturnType<typeof seen>>) =>
      miners.find(({ uid }) => uid === 1);
    const bob = await until(
      () => seen(validator).then(own),
      (own) => (own?.failed ?? 0) > 0,
    );
    expect(bob).toMatchObject({ cheated: kind === "a cheat" });
    await expect.poll(() => lines.join("\n"), { timeout: PATIENCE_MS }).toMatch(why);
  });
});
