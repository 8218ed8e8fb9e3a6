import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  checkFit,
  checkWork,
  decodeRequest,
  type GenerationRequest,
  plannerOf,
} from "../../../core/request/mod.ts";
import { imageCodec, resize } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { readModelConfig } from "../../../core/model/mod.ts";
import { ReplayWindow, RequestGuard, RetryLater } from "../../../server/http/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Forwarded, Waiting } from "../../../server/validator/forwarder.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { Safety, type Screen } from "../../../server/safety/mod.ts";
import { ValidatorMetrics } from "../../../server/validator/metrics.ts";
import { validatorRoutes } from "../../../server/validator/routes.ts";
import { corsOrigins } from "../../../server/validator/cors_origins.ts";
import type { Gateway } from "../../../server/gateway/mod.ts";
import { keyFileIn, testGateway } from "../../fixtures/gateway.ts";
import { callBody } from "../../../core/protocol/mod.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { fileOf, gradient } from "../../fixtures/pictures.ts";
import { thrownBy } from "../../fixtures/thrown.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";

const KEY = "a-key-of-an-application";
const self = openHotkey("11".repeat(32));
const { scheduler, denoiser } = await readModelConfig(await openModel("embedded", {}));
const fit = { plans: plannerOf(scheduler), denoiser, adapters: [], encodes: true };
const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 5 };
const IMAGE = new TextEncoder().encode("an image");

let stack: AsyncDisposableStack;
let gateway: Gateway;
let screen: Screen | undefined;
let app: ReturnType<typeof validatorRoutes>;
let forwarded: Forwarded;
const generate = vi.fn((_request: GenerationRequest, _format: string, _waiting?: Waiting) =>
  Promise.resolve(forwarded)
);

beforeEach(async () => {
  generate.mockClear();
  stack = new AsyncDisposableStack();
  const receipt = await inventedReceipt(self, SMALL_REQUEST, {});
  forwarded = {
    peer: { uid: 1, hotkey: self.address, url: "http://127.0.0.1:1" },
    answer: { id: "ab".repeat(32), receipt, token: "t".repeat(43) },
    image: IMAGE,
    verdict: "honest",
  };
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  gateway = stack.use(
    await testGateway(folder, {
      model: {
        id: "tau-tiny",
        manifest: "cd".repeat(32),
        defaults: DEFAULTS,
        check: (request) => checkFit(fit, request),
      },
      keyFile: await keyFileIn(folder, KEY),
      requestsPerMinute: 3,
      screen: () => screen ?? { request: () => [], image: () => Promise.resolve([]) },
    }),
  );
  open([]);
});
afterEach(() => stack.disposeAsync());

/** Opens the API to pages of these origins. */
function open(origins: readonly string[], looks?: Screen): void {
  screen = looks;
  app = validatorRoutes({
    ...{ version: "test", info: () => ({}), log: () => {}, registered: () => false },
    ledger: stack.use(new Ledger(":memory:")),
    guard: new RequestGuard(self.address, stack.use(new ReplayWindow(":memory:"))),
    metrics: new ValidatorMetrics({ miners: () => 0, block: () => undefined }),
    forwarding: {
      forwarder: { generate },
      scorer: () => Promise.reject(new Error("nothing is scored here")),
      gateway,
      allowed: () => {},
      lineageOf: ({ parent }) => parent === undefined ? [] : ["Its parent was not compared."],
      defaults: DEFAULTS,
      codec: imageCodec,
      origins,
    },
  });
}

async function eventsOf({ body }: Response): Promise<{ event?: string; data: unknown }[]> {
  const events = [];
  const stream = (body ?? new ReadableStream<Uint8Array<ArrayBuffer>>())
    .pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of stream) events.push({ event, data: JSON.parse(data) });
  return events;
}

async function ask(
  call: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await app.request("/v1/generate", {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    body: JSON.stringify(call),
  });
}

const CALL = { request: { prompt: "a tau symbol" } };

describe("the answer is what the header accept prefers", () => {
  test.each([
    ["*/*", "application/json", "png"],
    ["application/json, image/png;q=0.5", "application/json", "png"],
    ["text/html, image/png", "image/png", "png"],
    ["image/*", "image/png", "png"],
    ["image/webp", "image/webp", "webp"],
    ["image/jpeg;q=0.5, image/webp;q=0.9", "image/webp", "webp"],
    ["IMAGE/PNG", "image/png", "png"],
  ])("%s: %s", async (accept, type, format) => {
    const response = await ask(CALL, { accept });
    expect(response.headers.get("content-type")).toBe(type);
    expect(generate.mock.lastCall?.[1]).toBe(format);
    if (type === "application/json") expect(await response.json()).toHaveProperty("image");
    else expect(await response.bytes()).toEqual(IMAGE);
  });

  test("the body's format comes first", async () => {
    const response = await ask({ ...CALL, format: "jpeg" }, { accept: "image/*" });
    expect(response.headers.get("content-type")).toBe("image/jpeg");
  });
});

describe("an image that is enlarged and drawn anew", () => {
  const call = (more: object, request: object = {}) => ({
    ...{ request: { ...CALL.request, ...request }, format: "webp", ...more },
  });

  test("is asked of miners twice, and the answer has what it takes to check both", async () => {
    const first = { ...forwarded, image: await fileOf(gradient(64, 40)) };
    generate.mockResolvedValueOnce(first);
    const response = await ask(call({ upscale: 1.5, refine: 0.5 }));
    expect(response.status).toBe(200);
    const [[one, format], [two, last, waiting]] = generate.mock.calls;
    expect([one, format]).toMatchObject([{ width: 64, image: undefined }, "png"]);
    expect([two, last]).toMatchObject([
      { width: 96, height: 96, strength: 0.5, parent: first.answer.id, upscaler: "lanczos" },
      "webp",
    ]);
    const larger = waiting?.inputs?.get(two.image ?? "");
    // The very file that whoever checks it makes of the first.
    expect(larger).toEqual(await fileOf(resize(gradient(64, 40), { width: 96, height: 96 })));
    const { receipt, token } = JSON.parse(JSON.stringify(first.answer));
    expect(await response.json()).toMatchObject({
      parent: { id: first.answer.id, receipt, token, verdict: "honest", witness: null },
    });
    expect(gateway.store.usage.list()).toMatchObject([
      { images: 2 },
    ]);
  });

  test.each([
    [{ refine: 0.5 }, {}, /refine is 0\.5, and upscale, of which it is a part, is left out/],
    [{ upscale: 9 }, {}, /upscale/],
    [{ upscale: 2, refine: 0 }, {}, /refine/],
    [{ upscale: 2 }, { width: 4096, height: 4096 }, /4096x4096 times 2 is 8192x8192 pixels/],
    [{ upscale: 2 }, { image: "0a".repeat(32), mask: "0a".repeat(32) }, /a mask is given/],
    [{ upscale: 2, refine: 0.1 }, {}, /less than one of 4 steps/],
  ])("%j of %j is refused before anything is made", async (more, request, why) => {
    const response = await ask(call(more, request));
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toMatch(why);
    expect(generate).not.toHaveBeenCalled();
  });
});

test("what is not known of a parent is said to who named it", async () => {
  const photo = await fileOf(gradient(64, 40));
  const request = { ...CALL.request, image: bytesHash(photo), parent: "0c".repeat(32) };
  const { bytes, type } = callBody({ request }, new Map([[bytesHash(photo), photo]]));
  const response = await app.request("/v1/generate", {
    ...{ method: "POST", body: bytes },
    headers: { authorization: `Bearer ${KEY}`, "content-type": type },
  });
  expect(await response.json()).toMatchObject({ notices: ["Its parent was not compared."] });
});

test("a key's images a day hold for calls at the same time, and what failed is given back", async () => {
  const [{ id }] = gateway.store.keys.list();
  gateway.store.keys.limit(id, { imagesPerDay: 2, requestsPerMinute: 100 }, undefined);
  generate.mockRejectedValueOnce(new RetryLater("no_miner", "Cannot generate: none serves", 1));
  expect((await ask(CALL)).status).toBe(503);
  const held = Promise.withResolvers<Forwarded>();
  generate.mockImplementationOnce(() => held.promise).mockImplementationOnce(() => held.promise);
  const made = [ask(CALL), ask(CALL)];
  await vi.waitFor(() => expect(generate).toHaveBeenCalledTimes(3));
  expect((await ask(CALL)).status).toBe(429);
  held.resolve(forwarded);
  expect((await Promise.all(made)).map(({ status }) => status)).toEqual([200, 200]);
  expect((await ask(CALL)).status).toBe(429);
  expect(gateway.store.usage.list()).toMatchObject([{ owner: id, images: 2, failures: 1 }]);
});

describe("what nobody can answer is refused before a miner is asked", () => {
  test.each(["image/gif", "text/html", "image/png;q=0", "*/*;q=0", "application/xml, text/plain"])(
    "accept: %s",
    async (accept) => {
      const response = await ask(CALL, { accept });
      expect(response.status).toBe(406);
      expect((await response.json()).error).toEqual({
        code: "not_acceptable",
        message: `Cannot answer: accept is ${accept}, not application/json, image/png, ` +
          "image/jpeg, image/webp or text/event-stream",
      });
      expect(generate).not.toHaveBeenCalled();
    },
  );

  test("who takes anything besides gets JSON", async () => {
    const response = await ask(CALL, { accept: "image/gif, */*;q=0.1" });
    expect(response.headers.get("content-type")).toBe("application/json");
  });
});

describe("accept: text/event-stream", () => {
  const accept = "text/event-stream";

  test("events say that the request was accepted, and what it came to", async () => {
    const response = await ask(CALL, { accept });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = await eventsOf(response);
    expect(events.map(({ event }) => event)).toEqual(["accepted", "done"]);
    const json = await (await ask(CALL)).json();
    expect(events[1].data).toEqual(json);
    const text = await (await app.request("/metrics")).text();
    expect(text).toMatch(/stepwise_user_requests_total\{outcome="served"\} 2/);
  });

  test("steps that are done are events", async () => {
    generate.mockImplementationOnce((_request, _format, waiting) => {
      for (const step of [1, 2]) waiting?.onStep?.({ step, steps: 2 });
      return Promise.resolve(forwarded);
    });
    const events = await eventsOf(await ask(CALL, { accept }));
    expect(events.slice(0, -1)).toEqual([
      { event: "accepted", data: {} },
      { event: "progress", data: { step: 1, steps: 2 } },
      { event: "progress", data: { step: 2, steps: 2 } },
    ]);
  });

  test("only who takes events has its miner asked for steps", async () => {
    await ask(CALL);
    expect(generate.mock.lastCall?.[2]?.onStep).toBeUndefined();
  });

  test("a failure is an event once the stream is open, and counted by its code", async () => {
    generate.mockRejectedValueOnce(new RetryLater("no_miner", "Cannot generate: none serves", 10));
    const events = await eventsOf(await ask(CALL, { accept }));
    expect(events.map(({ event }) => event)).toEqual(["accepted", "error"]);
    expect(events[1].data).toEqual({
      error: { code: "no_miner", message: "Cannot generate: none serves" },
    });
    const text = await (await app.request("/metrics")).text();
    expect(text).toMatch(/stepwise_user_requests_total\{outcome="no_miner"\} 1/);
  });

  test("a bad request is a status, and no stream", async () => {
    const response = await ask({ request: { width: 3 } }, { accept });
    expect(response.status).toBe(400);
    expect((await response.json()).error.code).toBe("invalid_request");
  });
});

test("bad requests do not use up the rate", async () => {
  const bad = [{ request: { width: 3 } }, { request: 5 }, { format: "gif" }, 7];
  for (const call of bad) expect((await ask(call)).status).toBe(400);
  expect((await ask(CALL, { accept: "image/gif" })).status).toBe(406);
  // Three a minute are allowed.
  for (let k = 0; k < 3; k++) expect((await ask(CALL)).status).toBe(200);
  expect((await ask(CALL)).status).toBe(429);
});

test.each([-1, "-1", null])("seed %s is another one each time", async (seed) => {
  for (let k = 0; k < 2; k++) await ask({ request: { ...CALL.request, seed } });
  const [first, second] = generate.mock.calls.map(([request]) => request.seed);
  expect(first).not.toBe(second);
});

describe("pages of other origins", () => {
  const preflight = (origin: string) =>
    app.request("/v1/generate", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });

  test("may not ask unless the operator says so", async () => {
    const response = await ask(CALL, { origin: "https://app.example" });
    expect(response.headers.has("access-control-allow-origin")).toBe(false);
    const { headers } = await preflight("https://app.example");
    expect(headers.has("access-control-allow-origin")).toBe(false);
  });

  test("may where they are named, errors included, and no others", async () => {
    open(["https://app.example"]);
    const { status, headers } = await preflight("https://app.example");
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(headers.get("access-control-allow-headers")).toMatch(/authorization/);
    const made = await ask(CALL, { origin: "https://app.example", accept: "image/png" });
    expect(made.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(made.headers.get("access-control-expose-headers")).toMatch(/stepwise-receipt/);
    const refused = await ask({ request: 5 }, { origin: "https://app.example" });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("access-control-allow-origin")).toBe("https://app.example");
    const other = await preflight("https://evil.example");
    expect(other.headers.has("access-control-allow-origin")).toBe(false);
  });

  test("may all with *", async () => {
    open(["*"]);
    const { headers } = await preflight("https://app.example");
    expect(headers.get("access-control-allow-origin")).toBe("*");
  });

  test("are named as browsers name them", () => {
    expect(corsOrigins(["https://App.example/", "http://localhost:3000", "*"]))
      .toEqual(["https://app.example", "http://localhost:3000", "*"]);
    for (const wrong of ["app.example", "https://app.example/path", "ftp://app.example", ""]) {
      expect(thrownBy(() => corsOrigins([wrong]))).toMatchObject({
        code: "invalid_request",
        message: expect.stringMatching(/^Cannot start: --api\.cors is /),
      });
    }
  });
});

describe("what no miner could make is refused before one is asked, and so blamed", () => {
  test.each([
    ["half a character", { prompt: "\ud800" }, /^Cannot generate: prompt is .* well-formed/],
    ["a scheduler that is none", { scheduler: "bogus" }, /scheduler is "bogus"/],
    ["one that is not linear", { scheduler: { thresholding: true } }, /thresholding is true/],
    ["steps that a scheduler has not", { scheduler: "lcm", steps: 1000 }, /steps is 1000/],
    ["a side of 40 for a network that halves twice", { width: 40 }, /width is 40, not .* of 32/],
    ["a seed that JSON rounds", { seed: 2 ** 53 + 2 }, /above 2\^53 as text/],
  ])("%s", async (_, request, message) => {
    const response = await ask({ request });
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toMatch(message);
    expect(generate).not.toHaveBeenCalled();
  });
});

test("the scheme of a key is written in any case; a request without one is refused", async () => {
  expect((await ask(CALL, { authorization: `bearer ${KEY}` })).status).toBe(200);
  const response = await app.request("/v1/generate", { method: "POST", body: "{}" });
  expect(response.status).toBe(401);
  expect((await response.json()).error).toMatchObject({
    code: "request_unsigned",
    message: expect.stringMatching(/API key/),
  });
});

test("requests that were refused are counted as well, by their code", async () => {
  await ask({ request: { prompt: 5 } });
  for (let k = 0; k < 4; k++) await ask(CALL);
  const text = await (await app.request("/metrics")).text();
  expect(text).toMatch(/stepwise_user_requests_total\{outcome="invalid_request"\} 1/);
  expect(text).toMatch(/stepwise_user_requests_total\{outcome="served"\} 3/);
  expect(text).toMatch(/stepwise_user_requests_total\{outcome="rate_limited"\} 1/);
});

describe("as HTTP has it", () => {
  test.each([
    ["PUT", "/v1/generate", "POST"],
    ["GET", "/v1/generate", "POST"],
    ["POST", "/v1/info", "GET, HEAD"],
    ["DELETE", "/v1/attestations", "GET, HEAD, POST"],
  ])("%s %s: another method is named", async (method, path, allow) => {
    const response = await app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect((await response.json()).error.code).toBe("method_not_allowed");
  });

  test("a path that there is not stays one", async () => {
    expect((await app.request("/v1/nothing", { method: "POST" })).status).toBe(404);
  });

  test("HEAD gives the length of what GET sends", async () => {
    const { length } = await (await app.request("/openapi.json")).bytes();
    const head = await app.request("/openapi.json", { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(length));
  });

  test("long lists are compressed for who takes it", async () => {
    const headers = { "accept-encoding": "gzip" };
    const response = await app.request("/openapi.json", { headers });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("vary")).toMatch(/accept-encoding/i);
  });

  test.each(["/v1/info", "/v1/nothing", "/metrics"])("no cache keeps %s", async (path) => {
    expect((await app.request(path)).headers.get("cache-control")).toBe("no-store");
  });
});

test("a request of the default size fits", () => {
  const request = decodeRequest({}, {
    width: 256,
    height: 256,
    steps: 4,
    guidanceScale: 5,
    seed: 1n,
  });
  expect(() => checkFit(fit, request)).not.toThrow();
});

test.each([
  [{ width: 1024, height: 512, steps: 16 }, 32],
  [{ width: 4096, height: 4096, steps: 1000 }, 64_000],
  // 8 of 16 steps, and as long as another one for the encoder: 9 / 4 of them, at 16 times the pixels.
  [{ width: 1024, height: 1024, steps: 16, image: "ab".repeat(32), strength: 0.5 }, 36],
])("the work of %j is %i images", (fields, work) => {
  const defaults = { width: 256, height: 256, steps: 4, guidanceScale: 5, seed: 1n };
  const request = decodeRequest(fields, defaults);
  expect(() => checkWork(request, defaults, work)).not.toThrow();
  const { width, height, steps } = fields;
  expect(() => checkWork(request, defaults, work - 1)).toThrow(
    `Cannot generate: ${width} x ${height} pixels at ${steps} steps are ${work} times the work of ` +
      `the model's default image, not at most ${work - 1}; ask for less`,
  );
});

describe("a request with files", () => {
  const of = (side: number, tint: number) => fileOf(gradient(side, tint));
  const post = async (fields: Record<string, unknown>, ...files: Uint8Array<ArrayBuffer>[]) => {
    const inputs = new Map(files.map((file) => [bytesHash(file), file]));
    const { bytes: body, type } = callBody({ request: { prompt: "a tau", ...fields } }, inputs);
    return await app.request("/v1/generate", {
      ...{ method: "POST", body },
      headers: { authorization: `Bearer ${KEY}`, "content-type": type },
    });
  };

  test("is handed on with them, in the shape of its image where it asks for none", async () => {
    const file = await fileOf({ ...gradient(128, 1), width: 256, height: 64 });
    const response = await post({ image: bytesHash(file), strength: 0.5 }, file);
    expect(response.status, await response.text()).toBe(200);
    const [request, , waiting] = generate.mock.lastCall ?? [];
    expect(request).toMatchObject({ image: bytesHash(file), width: 128, height: 64 });
    expect(waiting?.inputs).toEqual(new Map([[bytesHash(file), file]]));
  });

  test("is refused before any miner is asked where they do not fit", async () => {
    const [photo, mask] = [await of(64, 1), await of(32, 2)];
    const refused = await post({ image: bytesHash(photo), mask: bytesHash(mask) }, photo, mask);
    expect(refused.status).toBe(400);
    expect((await refused.json()).error).toEqual({
      code: "invalid_request",
      message: expect.stringMatching(/it is 32x32 pixels, and the image 64x64/),
    });
    expect(generate).not.toHaveBeenCalled();
  });
});

test("the document lists the fields of a request, the query's, and the files that are answered", async () => {
  const { paths, components: { schemas } } = await (await app.request("/openapi.json")).json();
  expect(schemas.ImageCall.properties.request.$ref).toBe("#/components/schemas/GenerationRequest");
  expect(schemas.GenerationRequest.properties).toMatchObject({
    prompt: { type: "string", maxLength: 10_000 },
    seed: { anyOf: [{ type: "integer" }, { type: "string" }] },
  });
  expect(Object.keys(paths["/v1/generate"].post.responses[200].content))
    .toEqual([
      ...["application/json", "image/png", "image/jpeg", "image/webp", "text/event-stream"],
    ]);
  expect(paths["/v1/receipts"].get.parameters)
    .toEqual(["limit", "image", "looks"].map((name) => ({
      ...{ name, in: "query", schema: { type: "string" } },
    })));
});

describe("--nsfw", () => {
  const call = { request: { prompt: "a naked woman" } };
  const seen = { porn: 0.9, hentai: 0, neutral: 0.1, drawing: 0, sexy: 0 };
  const safety = (shares = seen) =>
    new Safety({
      classify: () => Promise.resolve(shares),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });

  test("block: no miner is asked for what a prompt says outright", async () => {
    open([], safety().under("block"));
    const response = await ask(call);
    expect(response.status).toBe(400);
    expect((await response.json()).error).toEqual({
      code: "content_blocked",
      message: 'Cannot generate: the prompt says "naked"',
    });
    expect(generate).not.toHaveBeenCalled();
  });

  test("block: nobody gets an image that looks like it", async () => {
    open([], safety().under("block"));
    const response = await ask(CALL);
    expect((await response.json()).error.code).toBe("content_blocked");
    expect(generate).toHaveBeenCalledOnce();
  });

  test("flag: the image comes, and what was found with it", async () => {
    open([], safety().under("flag"));
    expect(await (await ask(call)).json()).toMatchObject({
      notices: [
        'Not safe for everybody: the prompt says "naked"',
        "Not safe for everybody: the image looks like pornography (90 %)",
      ],
    });
  });
});
