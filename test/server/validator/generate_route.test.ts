import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  checkFit,
  checkWork,
  decodeRequest,
  type GenerationRequest,
} from "../../../core/request/mod.ts";
import { imageCodec } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { readModelConfig } from "../../../core/model/mod.ts";
import { ReplayWindow, RequestGuard } from "../../../server/http/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { ApiKeys } from "../../../server/validator/api_keys.ts";
import type { Forwarded } from "../../../server/validator/forwarder.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { ValidatorMetrics } from "../../../server/validator/metrics.ts";
import { validatorRoutes } from "../../../server/validator/routes.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";

const KEY = "a-key-of-an-application";
const self = openHotkey("11".repeat(32));
const config = await readModelConfig(await openModel("embedded", {}));
const IMAGE = new TextEncoder().encode("an image");

let stack: DisposableStack;
let app: ReturnType<typeof validatorRoutes>;
let forwarded: Forwarded;
const generate = vi.fn((_request: GenerationRequest, _format: string) =>
  Promise.resolve(forwarded)
);

beforeEach(async () => {
  generate.mockClear();
  stack = new DisposableStack();
  const receipt = await inventedReceipt(self, SMALL_REQUEST, {});
  forwarded = {
    peer: { uid: 1, hotkey: self.address, url: "http://127.0.0.1:1" },
    answer: { id: "ab".repeat(32), receipt, token: "t".repeat(43) },
    image: IMAGE,
    verdict: "honest",
  };
  app = validatorRoutes({
    ...{ version: "test", info: () => ({}), log: () => {}, registered: () => false },
    ledger: stack.use(new Ledger(":memory:")),
    guard: new RequestGuard(self.address, stack.use(new ReplayWindow(":memory:"))),
    metrics: new ValidatorMetrics({ miners: () => 0, block: () => undefined }),
    forwarding: {
      forwarder: { generate },
      scorer: () => Promise.reject(new Error("nothing is scored here")),
      keys: new ApiKeys([KEY]),
      allowed: () => {},
      defaults: { width: 64, height: 64, steps: 4, guidanceScale: 5 },
      checkRequest: (request) => checkFit(config, request),
      codec: imageCodec,
      requestsPerMinute: 3,
    },
  });
});
afterEach(() => stack.dispose());

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

test("the scheme of a key is written in any case; who has none is told of it", async () => {
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
  for (let k = 0; k < 3; k++) await ask(CALL);
  const text = await (await app.request("/metrics")).text();
  expect(text).toMatch(/stepwise_user_requests_total\{outcome="invalid_request"\} 1/);
  expect(text).toMatch(/stepwise_user_requests_total\{outcome="served"\} 2/);
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

  test("HEAD tells the length of what GET sends", async () => {
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
  expect(() => checkFit(config, request)).not.toThrow();
});

test.each([
  [{ width: 1024, height: 512, steps: 16 }, 32],
  [{ width: 4096, height: 4096, steps: 1000 }, 64_000],
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

test("the document tells the fields of a request, the query's, and the files that are answered", async () => {
  const { paths, components: { schemas } } = await (await app.request("/openapi.json")).json();
  expect(schemas.ImageCall.properties.request.$ref).toBe("#/components/schemas/GenerationRequest");
  expect(schemas.GenerationRequest.properties).toMatchObject({
    prompt: { type: "string", maxLength: 10_000 },
    seed: { anyOf: [{ type: "integer" }, { type: "string" }] },
  });
  expect(Object.keys(paths["/v1/generate"].post.responses[200].content))
    .toEqual(["application/json", "image/png", "image/jpeg", "image/webp"]);
  expect(paths["/v1/receipts"].get.parameters)
    .toEqual([{ name: "limit", in: "query", schema: { type: "string" } }]);
});
