import { AppError } from "../../../core/error.ts";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import {
  decodeGenerationAnswer,
  decodeMinerInfo,
  type GenerationAnswer,
  type ImageAnswer,
  signedHeaders,
} from "../../../core/protocol/mod.ts";
import { encodeReceipt } from "../../../core/transcript/mod.ts";
import { openWallet, type Wallet } from "../../../server/chain/mod.ts";
import { runCli } from "../../fixtures/cli.ts";
import { sendHuge } from "../../fixtures/huge_request.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { type Miner, type MinerOptions, startMiner } from "../../../server/miner/mod.ts";
import { until } from "../../fixtures/processes.ts";

const REQUEST = { prompt: "a red tau symbol", width: 64, height: 64, steps: 6, seed: 5 };
let folder: string;
let miner: Miner;
let caller: Wallet;
let stranger: Wallet;
let answer: GenerationAnswer;

function development(hotkey: string): Promise<Wallet> {
  return openWallet({ path: "", name: "", hotkey, network: "devnet" });
}

async function start(
  name: string,
  wrap?: (engine: ImageEngine) => ImageEngine,
  queue = 4,
  more: Partial<MinerOptions> = {},
): Promise<Miner> {
  return await startMiner({
    wallet: await development("//Bob"),
    hostname: "127.0.0.1",
    port: 0,
    model: "embedded",
    compute: "cpu",
    queue,
    batch: 4,
    folder: join(folder, name),
    maxTranscriptBytes: 2 ** 28,
    whitelist: { hotkeys: [caller.hotkey.address] },
    log: () => {},
    wrap,
    ...more,
  });
}

beforeAll(async () => {
  folder = await Deno.makeTempDir();
  [caller, stranger] = [await development("//Alice"), await development("//Eve")];
  miner = await start("main");
});

afterAll(async () => {
  await miner[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly wallet?: Wallet;
  readonly headers?: Record<string, string>;
  readonly to?: Miner;
}

async function send(
  { method = "POST", path = "v1/generations", body, wallet, headers, to = miner }: Sent,
): Promise<Response> {
  const bytes = new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body));
  const signed = wallet
    ? await signedHeaders({
      body: bytes,
      signedFor: to.hotkey,
      now: Date.now(),
      uuid: crypto.randomUUID(),
    }, wallet.hotkey)
    : {};
  return await fetch(new URL(path, to.url), {
    method,
    headers: { ...signed, ...headers },
    ...(method === "POST" && { body: bytes }),
  });
}

/** An engine whose runs, but for the first, which is the warm-up, wait at a gate. */
function gated() {
  const [gate, running] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  /** Of each run, the requests that run together. */
  const runs: number[] = [];
  const wrap = (engine: ImageEngine): ImageEngine => ({
    model: engine.model,
    compute: engine.compute,
    backend: engine.backend,
    defaults: engine.defaults,
    predict: (request, states) => engine.predict(request, states),
    decode: (request, bits) => engine.decode(request, bits),
    encode: (request, image) => engine.encode(request, image),
    generate: async (request, options) => {
      runs.push(1 + (options?.batchedWith?.length ?? 0));
      if (runs.length > 1) {
        running.resolve();
        await gate.promise;
      }
      return await engine.generate(request, options);
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  });
  return { gate, running, runs, wrap };
}

async function capacity({ url }: Miner): Promise<{ queued: number; running: number }> {
  return (await (await fetch(`${url}/v1/info`)).json()).capacity;
}

function queued(to: Miner, count: number): Promise<void> {
  const holds = async () => (await capacity(to)).queued === count;
  return until(holds, `${count} requests wait`);
}

async function refusal(response: Response): Promise<unknown> {
  return { status: response.status, code: (await response.json()).error.code };
}

test("a signed request is answered with a receipt that names the asker", async () => {
  const response = await send({ body: { request: REQUEST }, wallet: caller });
  expect(response.status).toBe(200);
  answer = decodeGenerationAnswer(await response.json());
  expect(answer.images).toHaveLength(1);
  const [{ receipt }] = answer.images;
  expect(receipt).toMatchObject({
    miner: miner.hotkey,
    validator: caller.hotkey.address,
    steps: 6,
  });
  expect(receipt.request).toMatchObject({ prompt: "a red tau symbol", seed: "5", batch: 1 });
});

test("the receipt is honest for deno task verify, with its token, to level 3", async () => {
  const [{ receipt, token, id }] = answer.images;
  const image = await fetch(`${miner.url}/v1/generations/${id}/image?token=${token}`);
  expect(image.headers.get("content-type")).toBe("image/png");
  const [path, picture] = [join(folder, "r.json"), join(folder, "i.png")];
  await Deno.writeFile(path, encodeReceipt(receipt));
  await Deno.writeFile(picture, await image.bytes());
  const { code, stdout, stderr } = await runCli([
    ...["verify", path, "--from", miner.url, "--token", token],
    ...["--image", picture, "--compute", "cpu", "--json"],
  ]);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ verdict: "honest", level: 3 });
});

describe("openings go to the asker who signs, and to who has the token", () => {
  const steps = (step = 2) => `v1/generations/${answer.images[0].id}/steps/${step}`;
  const get = (sent: Sent) => send({ method: "GET", path: steps(), ...sent });

  test("the asker", async () => {
    expect((await get({ wallet: caller })).status).toBe(200);
  });

  test("the token, from any origin, also in a private network", async () => {
    const { token } = answer.images[0];
    const headers = { authorization: `Bearer ${token}`, origin: "https://tab.example" };
    const response = await get({ headers });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    // So that a tab waits for as long as the header says.
    expect(response.headers.get("access-control-expose-headers")).toMatch(/retry-after/i);
    await response.body?.cancel();
    const preflight = await fetch(new URL(steps(), miner.url), {
      method: "OPTIONS",
      headers: {
        origin: "https://tab.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
        "access-control-request-private-network": "true",
      },
    });
    expect(preflight.headers.get("access-control-allow-private-network")).toBe("true");
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/authorization/i);
    expect(preflight.headers.get("access-control-allow-methods")).toBe("GET,HEAD");
    expect(preflight.headers.get("access-control-max-age")).toBe("7200");
  });

  test("nobody else", async () => {
    expect(await refusal(await get({}))).toEqual({ status: 401, code: "request_unsigned" });
    expect(await refusal(await get({ wallet: stranger }))).toEqual({
      status: 403,
      code: "not_allowed",
    });
    expect(await refusal(await get({ headers: { authorization: `Bearer ${"A".repeat(43)}` } })))
      .toEqual({ status: 403, code: "not_allowed" });
  });

  test("no step that is not there, and no receipt that is none", async () => {
    const headers = { authorization: `Bearer ${answer.images[0].token}` };
    const far = await send({ method: "GET", path: steps(99), headers });
    expect(await refusal(far)).toEqual({ status: 400, code: "challenge_invalid" });
    const none = await send({
      method: "GET",
      path: `v1/generations/${"0".repeat(64)}`,
      wallet: caller,
    });
    expect(await refusal(none)).toEqual({ status: 404, code: "transcript_not_found" });
  });
});

describe("what is refused", () => {
  test.each([
    ["an unsigned request", { body: { request: REQUEST } }, 401, "request_unsigned"],
    [
      "a prompt that is too long",
      { request: { ...REQUEST, prompt: "x".repeat(10_001) } },
      400,
      "invalid_request",
    ],
    ["a field that is none", { request: { ...REQUEST, colour: "red" } }, 400, "invalid_request"],
    [
      "a side that its network cannot halve",
      { request: { ...REQUEST, width: 40 } },
      400,
      "invalid_request",
    ],
    [
      "steps that a scheduler has not",
      { request: { ...REQUEST, scheduler: "lcm", steps: 51 } },
      400,
      "invalid_request",
    ],
    ["a format that is none", { request: REQUEST, format: "bmp" }, 400, "invalid_request"],
  ])("%s", async (name, sent, status, code) => {
    const given = name.startsWith("an unsigned") ? sent as Sent : { body: sent, wallet: caller };
    expect(await refusal(await send(given))).toEqual({ status, code });
  });

  test("a stranger", async () => {
    expect(await refusal(await send({ body: { request: REQUEST }, wallet: stranger })))
      .toEqual({ status: 403, code: "not_allowed" });
  });

  test("the same request twice, also after a restart", async () => {
    // However long a restart takes, the request does not grow old by it.
    const signedAt = Date.now();
    const clock = () => signedAt;
    const body = new TextEncoder().encode(JSON.stringify({ request: { ...REQUEST, steps: 1 } }));
    const sign = async (to: Miner) => ({
      method: "POST",
      body,
      headers: await signedHeaders(
        { body, signedFor: to.hotkey, now: signedAt, uuid: crypto.randomUUID() },
        caller.hotkey,
      ),
    });
    const first = await start("restarted", undefined, 4, { clock });
    const request = await sign(first);
    expect((await fetch(`${first.url}/v1/generations`, request)).status).toBe(200);
    expect(await refusal(await fetch(`${first.url}/v1/generations`, request)))
      .toEqual({ status: 401, code: "request_replayed" });
    await first[Symbol.asyncDispose]();
    const second = await start("restarted", undefined, 4, { clock });
    expect(await refusal(await fetch(`${second.url}/v1/generations`, request)))
      .toEqual({ status: 401, code: "request_replayed" });
    await second[Symbol.asyncDispose]();
  });

  test.each([
    ["with content-length", true],
    ["in chunks", false],
  ])("100 MB %s", async (_, declared) => {
    const path = "/v1/generations";
    const status = await sendHuge({ url: miner.url, path, hotkey: miner.hotkey, caller, declared });
    expect(status).toBe(413);
  });
});

test("progress comes as events, with previews, and ends with the answer", async () => {
  const response = await send({
    body: { request: { ...REQUEST, seed: 6 }, previews: true },
    wallet: caller,
    headers: { accept: "text/event-stream" },
  });
  const events = (await response.text()).trim().split("\n\n").map((event) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
    return { name, data: JSON.parse(data) };
  });
  const progress = events.filter(({ name }) => name === "progress");
  expect(progress.map(({ data }) => data.step).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(progress[0].data.previews[0]).toMatch(/^data:image\/png;base64,/);
  const done = events.find(({ name }) => name === "done");
  expect(decodeGenerationAnswer(done?.data).images).toHaveLength(1);
});

test(
  "a stream that waits says so before a proxy gives it up, and no proxy holds it back",
  async () => {
    const { gate, running, wrap } = gated();
    await using waiting = await start("waiting", wrap);
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const headers = { accept: "text/event-stream" };
    const response = await send({
      body: { request: REQUEST },
      wallet: caller,
      headers,
      to: waiting,
    });
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    await running.promise;
    vi.advanceTimersByTime(59_000);
    gate.resolve();
    const events = (await response.text()).split("\n\n");
    expect(events.filter((event) => event === ":")).toHaveLength(3);
    expect(events.at(-2)).toMatch(/^event: done\n/);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test("a browser keeps an image, for as long as it has its token", async () => {
  const [{ id, token }] = answer.images;
  const get = (more = {}, bearer = token) =>
    send({
      ...{ method: "GET", path: `v1/generations/${id}/image` },
      headers: { authorization: `bearer ${bearer}`, ...more },
    });
  const first = await get();
  expect(first.headers.get("cache-control")).toBe("private, max-age=86400, immutable");
  expect(first.headers.get("vary")).toMatch(/authorization/);
  const { length } = await first.bytes();
  const again = { "if-none-match": first.headers.get("etag") ?? "" };
  expect((await get(again)).status).toBe(304);
  expect((await get(again, "A".repeat(43))).status).toBe(403);
  const head = await fetch(new URL(`v1/generations/${id}/image?token=${token}`, miner.url), {
    method: "HEAD",
  });
  expect(head.headers.get("content-length")).toBe(String(length));
  // Whether a step can be opened is asked now, not of a cache.
  const opened = await send({
    ...{ method: "GET", path: `v1/generations/${id}/steps/0` },
    headers: { authorization: `Bearer ${token}` },
  });
  expect(opened.headers.get("cache-control")).toBe("no-store");
  await opened.body?.cancel();
});

test("/v1/info says what it is and what it can", async () => {
  const response = await fetch(`${miner.url}/v1/info`);
  const info = decodeMinerInfo(await response.json());
  expect(info).toMatchObject({
    hotkey: miner.hotkey,
    models: [{ id: "tau-tiny", precision: "float32", defaults: { width: 256, steps: 20 } }],
    capacity: { queueLimit: 4 },
    transcriptSeconds: 900,
  });
});

test.each([
  [
    "more images than are made together",
    { batch: 5 },
    /batch is 5, and this miner makes at most 4/,
  ],
  ["more work than is taken", { width: 4096, height: 4096, steps: 50 }, /times the work of the/],
])("a request for %s is a 400 at once", async (_, more, why) => {
  const response = await send({ body: { request: { ...REQUEST, ...more } }, wallet: caller });
  expect(response.status).toBe(400);
  const { error } = await response.json();
  expect(error).toMatchObject({ code: "invalid_request", message: expect.stringMatching(why) });
});

test("a batch has a receipt for each image, with seeds that follow", async () => {
  const response = await send({ body: { request: { ...REQUEST, batch: 2 } }, wallet: caller });
  const { images } = decodeGenerationAnswer(await response.json());
  expect(images.map(({ receipt }) => receipt.request.seed)).toEqual(["5", "6"]);
  // An image is the same alone and in a batch.
  expect(images[0].receipt.root).toBe(answer.images[0].receipt.root);
});

test("what is deleted by its asker cannot be opened any more", async () => {
  const response = await send({
    body: { request: { ...REQUEST, seed: 9, steps: 1 } },
    wallet: caller,
  });
  const [{ id, token }] = decodeGenerationAnswer(await response.json()).images;
  const path = `v1/generations/${id}`;
  expect(await (await send({ method: "DELETE", path, wallet: caller })).json()).toEqual({
    forgotten: true,
  });
  const expired = await fetch(`${miner.url}/${path}/steps/0?token=${token}`);
  expect(await refusal(expired)).toEqual({ status: 404, code: "transcript_not_found" });
});

test(
  "a full queue answers 429 with Retry-After; stopping finishes what runs and hands back the rest",
  async () => {
    const { gate, running, wrap } = gated();
    const small = await start("small", wrap, 1);
    const call = () =>
      send({ body: { request: { ...REQUEST, steps: 1 } }, wallet: caller, to: small });
    const first = call();
    await running.promise;
    const second = call();
    let third = await call();
    // The second may come after the third; then that one waits, and another is too many.
    if (third.status !== 429) third = await call();
    expect(third.status).toBe(429);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
    const stopped = small[Symbol.asyncDispose]();
    expect((await second).status).toBe(503);
    gate.resolve();
    expect((await first).status).toBe(200);
    await stopped;
  },
);

test(
  "of 256 at once as many are taken as there is room for, and all others get a time to retry",
  async () => {
    const { gate, wrap } = gated();
    const small = await start("crowd", wrap, 16, { batch: 1 });
    const before = Deno.memoryUsage().rss;
    // One runs, sixteen wait, and nothing is made before all others were turned away.
    const allRefused = Promise.withResolvers<void>();
    let refused = 0;
    const responses = Array.from({ length: 256 }, (_, seed) =>
      send({
        body: { request: { ...REQUEST, steps: 1, seed } },
        wallet: caller,
        to: small,
      }).then(async (response) => {
        await response.body?.cancel();
        if (response.status !== 200 && ++refused === 256 - 17) allRefused.resolve();
        return { status: response.status, wait: Number(response.headers.get("retry-after")) };
      }));
    await allRefused.promise;
    expect(Deno.memoryUsage().rss - before).toBeLessThan(200e6);
    gate.resolve();
    const all = await Promise.all(responses);
    const taken = all.filter(({ status }) => status === 200);
    expect(taken).toHaveLength(17);
    const turned = all.filter(({ status }) => status !== 200);
    // 503 where this machine is so busy that requests grow old on their way.
    expect(turned.filter(({ status }) => status !== 429 && status !== 503)).toEqual([]);
    for (const { wait } of turned) expect(wait).toBeGreaterThan(0);
    await small[Symbol.asyncDispose]();
  },
);

describe("requests that come together", () => {
  test(
    "run together, each with its own receipt, image and previews, the same as alone",
    async () => {
      const { gate, runs, wrap } = gated();
      const many = await start("together", wrap, 8);
      const call = (request: object) =>
        send({ body: { request: { ...REQUEST, ...request } }, wallet: caller, to: many });
      const first = call({ steps: 1 });
      const rest = [{}, { prompt: "a blue ring", seed: 6 }, { steps: 5 }, { batch: 2, seed: 40 }];
      const answers = rest.map(call);
      await queued(many, rest.length);
      gate.resolve();
      const receipts = await Promise.all(answers.map(async (each) => {
        const { images } = decodeGenerationAnswer(await (await each).json());
        return images.map(({ receipt }) => receipt);
      }));
      await (await first).body?.cancel();
      // The warm-up, the first alone, three of a kind together (four images), the other one.
      expect(runs).toEqual([1, 1, 3, 1]);
      expect(receipts[0][0].root).toBe(answer.images[0].receipt.root);
      expect(receipts[1][0].request).toMatchObject({ prompt: "a blue ring", seed: "6" });
      const alone = await send({
        body: { request: { ...REQUEST, prompt: "a blue ring", seed: 6 } },
        wallet: caller,
      });
      const [{ receipt }] = decodeGenerationAnswer(await alone.json()).images;
      expect(receipts[1][0].root).toBe(receipt.root);
      expect(receipts[1][0].image.sha256).toBe(receipt.image.sha256);
      expect(receipts[3].map(({ request }) => request.seed)).toEqual(["40", "41"]);
      await many[Symbol.asyncDispose]();
    },
  );
});

test(
  "the same request twice at once is made twice, each with a receipt of its own",
  async () => {
    const { gate, runs, wrap } = gated();
    const twins = await start("twins", wrap, 8);
    const call = (request: object) =>
      send({ body: { request: { ...REQUEST, ...request } }, wallet: caller, to: twins });
    const first = call({ steps: 1 });
    const pair = [call({ seed: 8 }), call({ seed: 8 }), call({ seed: 7, batch: 2 })];
    await queued(twins, pair.length);
    gate.resolve();
    const answers = await Promise.all(pair.map(async (each) => {
      const response = await each;
      expect(response.status).toBe(200);
      return decodeGenerationAnswer(await response.json()).images;
    }));
    expect(new Set(answers.flat().map(({ id }) => id)).size).toBe(4);
    // The same image all the same.
    expect(answers[1][0].receipt.root).toBe(answers[0][0].receipt.root);
    expect(answers[2][1].receipt.root).toBe(answers[0][0].receipt.root);
    await (await first).body?.cancel();
    // The warm-up, the first, and each by itself: images of one seed have no place in one run.
    expect(runs).toEqual([1, 1, 1, 1, 1]);
    await twins[Symbol.asyncDispose]();
  },
);

test(
  "a full queue answers a request for events by its status, also through an axon",
  async () => {
    const { gate, running, wrap } = gated();
    const full = await start("full", wrap, 1, { batch: 1 });
    const axon = await start("full-axon", undefined, 1, { generators: [full.url] });
    const call = (to: Miner, headers = {}) =>
      send({ body: { request: { ...REQUEST, steps: 1 } }, wallet: caller, to, headers });
    const first = call(full);
    await running.promise;
    const second = call(full);
    await queued(full, 1);
    for (const to of [full, axon]) {
      const response = await call(to, { accept: "text/event-stream" });
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refusal(response)).toEqual({ status: 429, code: "queue_full" });
    }
    gate.resolve();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    for (const each of [axon, full]) await each[Symbol.asyncDispose]();
  },
);

describe("an axon before image generators", () => {
  let generators: Miner[];
  let axon: Miner;

  beforeAll(async () => {
    generators = [await start("gpu-1"), await start("gpu-2")];
    axon = await start("axon", undefined, 4, { generators: generators.map(({ url }) => url) });
  });
  afterAll(async () => {
    for (const each of [axon, ...generators]) await each[Symbol.asyncDispose]();
  });

  test("gives receipts for the one who asked, which a token opens through it", async () => {
    const response = await send({ body: { request: REQUEST }, wallet: caller, to: axon });
    const [{ id, receipt, token }] = decodeGenerationAnswer(await response.json()).images;
    expect(receipt).toMatchObject({
      root: answer.images[0].receipt.root,
      miner: axon.hotkey,
      validator: caller.hotkey.address,
    });
    const opening = await fetch(`${axon.url}/v1/generations/${id}/steps/2?token=${token}`);
    const own = await fetch(
      `${miner.url}/v1/generations/${answer.images[0].id}/steps/2?token=${answer.images[0].token}`,
    );
    expect(opening.status).toBe(200);
    expect((await opening.bytes()).length).toBe((await own.bytes()).length);
    const image = await send({
      ...{ method: "GET", path: `v1/generations/${id}/image`, wallet: caller, to: axon },
    });
    expect(image.headers.get("content-type")).toBe("image/png");
    await image.body?.cancel();
    const wrong = await fetch(`${axon.url}/v1/generations/${id}/steps/2?token=${"A".repeat(43)}`);
    expect(await refusal(wrong)).toEqual({ status: 403, code: "not_allowed" });
    const path = `v1/generations/${id}`;
    expect(await refusal(await send({ method: "DELETE", path, wallet: stranger, to: axon })))
      .toMatchObject({ status: 403 });
    await (await send({ method: "DELETE", path, wallet: caller, to: axon })).body?.cancel();
    expect(await refusal(await send({ method: "GET", path, wallet: caller, to: axon })))
      .toEqual({ status: 404, code: "transcript_not_found" });
  });

  test("emits progress with previews, and refusals", async () => {
    const response = await send({
      body: { request: { ...REQUEST, seed: 77 }, previews: true },
      wallet: caller,
      headers: { accept: "text/event-stream" },
      to: axon,
    });
    const text = await response.text();
    expect(text.match(/event: progress/g)).toHaveLength(6);
    expect(text).toMatch(/data:image\/png;base64,/);
    expect(text).toMatch(/event: done/);
    const bad = await send({ body: { request: { steps: 0 } }, wallet: caller, to: axon });
    expect(await refusal(bad)).toEqual({ status: 400, code: "invalid_request" });
  });

  test("uses both, and goes on with one", async () => {
    const alone = [await start("gpu-3"), await start("gpu-4")];
    const front = await start("front", undefined, 4, { generators: alone.map(({ url }) => url) });
    const call = (seed: number) =>
      send({ body: { request: { ...REQUEST, seed } }, wallet: caller, to: front });
    const both = await Promise.all([call(1), call(2)]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const made = await Promise.all(alone.map(async ({ url }) => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return /stepwise_images_total (\d+)/.exec(metrics)?.[1];
    }));
    expect(made).toEqual(["1", "1"]);
    const ids = await Promise.all(both.map(async (response) => {
      const [{ id }] = decodeGenerationAnswer(await response.json()).images;
      return id;
    }));
    await alone[0][Symbol.asyncDispose]();
    // One is still opened, by the one that made it; the other may be again later.
    const opened = await Promise.all(
      ids.map((id) =>
        send({ method: "GET", path: `v1/generations/${id}`, wallet: caller, to: front })
      ),
    );
    expect(opened.map(({ status }) => status).toSorted()).toEqual([200, 503]);
    for (const each of opened) await each.body?.cancel();
    expect((await call(3)).status).toBe(200);
    expect((await call(4)).status).toBe(200);
    await alone[1][Symbol.asyncDispose]();
    expect(await refusal(await call(5))).toEqual({ status: 503, code: "not_ready" });
    await front[Symbol.asyncDispose]();
  });

  test("one that goes, and comes back, is an event, a metric, and capacity", async () => {
    const events: string[] = [];
    const [steady, first] = [await start("gpu-5"), await start("gpu-6")];
    const front = await start("watching", undefined, 4, {
      generators: [steady.url, first.url],
      watchMs: 50,
      log: (event, facts) => events.push(`${event} ${facts.url ?? ""}`),
    });
    const up = async () => {
      const metrics = await (await fetch(`${front.url}/metrics`)).text();
      return [...metrics.matchAll(/stepwise_generator_up\{url="[^"]*"\} (\d)/g)]
        .map(([, value]) => value).join("");
    };
    const queueLimit = async () => (await (await fetch(`${front.url}/v1/info`)).json()).capacity;
    expect([await up(), await queueLimit()]).toMatchObject(["11", { queueLimit: 8, batch: 8 }]);
    await first[Symbol.asyncDispose]();
    await until(async () => await up() === "10", "its metric falls");
    expect(await queueLimit()).toMatchObject({ queueLimit: 4, batch: 4 });
    const again = await start("gpu-6", undefined, 4, { port: Number(new URL(first.url).port) });
    await until(async () => await up() === "11", "its metric rises");
    expect(await queueLimit()).toMatchObject({ queueLimit: 8, batch: 8 });
    expect(events.filter((event) => event.startsWith("generator_"))).toEqual([
      `generator_lost ${first.url}`,
      `generator_back ${first.url}`,
    ]);
    for (const each of [front, again, steady]) await each[Symbol.asyncDispose]();
  });

  test("only an axon may say for whom an image is", async () => {
    const forged = { request: REQUEST, validator: stranger.hotkey.address };
    expect(await refusal(await send({ body: forged, wallet: caller, to: generators[0] })))
      .toEqual({ status: 403, code: "not_allowed" });
  });

  test("a generator that is not there, or signs as another, is refused at the start", async () => {
    const starting = start("none", undefined, 4, { generators: ["http://127.0.0.1:9"] });
    expect(await rejection(starting)).toMatchObject({ code: "host_unavailable" });
    const wallet = await development("//Charlie");
    const other = await rejection(
      start("other", undefined, 4, { wallet, generators: [generators[0].url] }),
    );
    expect(other.message).toMatch(/it signs as 5FHne.*, not as 5FLSi/);
    const empty = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async () => {
        const info = await (await fetch(`${miner.url}/v1/info`)).json();
        return Response.json({ ...info, models: [] });
      },
    );
    const without = `http://127.0.0.1:${empty.addr.port}`;
    expect(await rejection(start("empty", undefined, 4, { generators: [without] })))
      .toMatchObject({
        code: "host_unavailable",
        message: expect.stringMatching(/: it has no model; start it with deno task miner/),
      });
    await empty.shutdown();
  });
});

test("every route is in the OpenAPI document, and every schema that it names", async () => {
  const text = await (await fetch(`${miner.url}/openapi.json`)).text();
  const document = JSON.parse(text);
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations as object)) {
      const url = `${miner.url}${path.replaceAll(/\{\w+\}/g, "0")}`;
      const response = await fetch(url, { method: method.toUpperCase() });
      const body = await response.text();
      expect(body, `${method} ${path}`).not.toMatch(/there is no such route/);
    }
  }
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
    expect(document.components.schemas).toHaveProperty(name);
  }
});

test("everybody may see receipts where the operator says so, and nowhere else", async () => {
  const listOf = async ({ url }: Miner, path = "v1/receipts") => {
    const { receipts } = await (await fetch(`${url}/${path}`)).json();
    return receipts as ImageAnswer[];
  };
  expect(await listOf(miner)).toEqual([]);
  await using shown = await start("shown", undefined, 4, { publicReceipts: true });
  const made: ImageAnswer[] = [];
  for (const seed of [1, 2]) {
    const body = { request: { ...REQUEST, seed } };
    const answer = await send({ body, wallet: caller, to: shown });
    made.push(...decodeGenerationAnswer(await answer.json()).images);
  }
  expect(await listOf(shown)).toEqual(made.toReversed());
  expect(await listOf(shown, "receipts.json?limit=1")).toEqual(made.slice(1));
  const [{ id, token }] = made;
  const opened = await fetch(`${shown.url}/v1/generations/${id}/steps/0?token=${token}`);
  expect(opened.status).toBe(200);
  await opened.body?.cancel();
  await send({ method: "DELETE", path: `v1/generations/${id}`, wallet: caller, to: shown });
  expect(await listOf(shown)).toEqual(made.slice(1));
});

test("Prometheus reads what was made and what was refused", async () => {
  const text = await (await fetch(`${miner.url}/metrics`)).text();
  expect(Number(/stepwise_images_total (\d+)/.exec(text)?.[1])).toBeGreaterThan(3);
  expect(text).toMatch(/stepwise_openings_total\{outcome="opened"\} [1-9]/);
  expect(text).toMatch(/stepwise_openings_total\{outcome="challenge_invalid"\} 1/);
  expect(text).toMatch(/stepwise_queue_limit 4/);
});

/** Milliseconds of an answer to `/v1/info`, asked again and again until the work is done. */
async function answerTimes(work: Promise<unknown>, to: Miner): Promise<number[]> {
  const times: number[] = [];
  let working = true;
  void work.finally(() => working = false).catch(() => {});
  while (working) {
    const asked = performance.now();
    await (await fetch(`${to.url}/v1/info`)).json();
    times.push(performance.now() - asked);
  }
  return times.sort((a, b) => a - b);
}

// One network call of this size takes a second on two cores. Who shares a thread with it answers
// once a call; half of the answers within a quarter of a second leave room for a busy machine.
test("a miner answers while it makes a large image", async () => {
  const request = { prompt: "a tau", width: 1024, height: 1024, steps: 4, seed: 5 };
  const made = send({ body: { request }, wallet: caller });
  const times = await answerTimes(made, miner);
  expect((await made).status).toBe(200);
  expect(times[Math.floor(times.length / 2)]).toBeLessThan(250);
});

test("/readyz is 503 while the engine is lost, and 200 once it computes again", async () => {
  let lost = false;
  await using shaky = await start("shaky", (engine) => ({
    ...{ model: engine.model, compute: engine.compute, defaults: engine.defaults },
    backend: engine.backend,
    generate: (...of) =>
      lost
        ? Promise.reject(new AppError("device_lost", "Cannot compute: the device is gone"))
        : engine.generate(...of),
    predict: (...of) => engine.predict(...of),
    decode: (...of) => engine.decode(...of),
    encode: (...of) => engine.encode(...of),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }));
  const ready = async () => {
    const answer = await fetch(`${shaky.url}/readyz`);
    return [answer.status, (await answer.json()).problems];
  };
  const ask = async (seed: number) => {
    const response = await send({
      body: { request: { ...REQUEST, seed } },
      wallet: caller,
      to: shaky,
    });
    await response.body?.cancel();
    return response.status;
  };
  expect(await ready()).toEqual([200, []]);
  lost = true;
  expect(await ask(1)).toBe(500);
  expect(await ready()).toEqual([
    503,
    ["The engine is lost: Cannot compute: the device is gone."],
  ]);
  lost = false;
  expect(await ask(2)).toBe(200);
  expect(await ready()).toEqual([200, []]);
});
