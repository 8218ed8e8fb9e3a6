import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { imageCodec } from "../../../core/image/mod.ts";
import { PATHS } from "../../../core/protocol/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { mount, openApi, ReplayWindow, RequestGuard, route } from "../../../server/http/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { testGateway } from "../../fixtures/gateway.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { ValidatorMetrics } from "../../../server/validator/metrics.ts";
import { validatorRoutes } from "../../../server/validator/routes.ts";
import { MinerMetrics, minerRoutes } from "../../../server/miner/mod.ts";
import type { ImageSource } from "../../../server/miner/image_source.ts";

const self = openHotkey("11".repeat(32));
const guard = () => new RequestGuard(self.address, new ReplayWindow(":memory:"));
const never = () => Promise.reject(new Error("nothing is asked here"));

async function validator(forwards: boolean): Promise<Hono> {
  const gateway = await testGateway(await temporaryFolder());
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return validatorRoutes({
    ...{ version: "test", info: () => ({}), log: () => {}, registered: () => false },
    ...{ ledger: new Ledger(":memory:"), guard: guard() },
    metrics: new ValidatorMetrics({ miners: () => 0, block: () => undefined }),
    forwarding: forwards
      ? {
        ...{ forwarder: { generate: never }, scorer: never, gateway },
        ...{ allowed: () => {}, lineageOf: () => [], codec: imageCodec },
        origins: [],
        defaults: { width: 64, height: 64, steps: 4, guidanceScale: 5 },
      }
      : undefined,
  });
}

function miner(): Hono {
  const capacity = () => ({ batch: 1, queueLimit: 1, queued: 0, running: 0 });
  const source: ImageSource = {
    ...{ compute: "none", models: [], capacity, cancel: () => false },
    requestOf: () => {
      throw new Error("nothing is asked here");
    },
    opens: () => Promise.resolve(false),
    ...{
      run: never,
      receipt: never,
      open: never,
      image: never,
      input: never,
      forget: never,
      close: never,
    },
  };
  return minerRoutes({
    ...{
      source,
      codec: imageCodec,
      guard: guard(),
      self: self.address,
      site: "/nowhere",
      metrics: new MinerMetrics(source),
    },
    ...{ allowed: () => {}, checkRequest: () => {}, log: () => {} },
    info: () => ({
      ...{ name: "test", version: "1", hotkey: self.address, compute: "none", models: [] },
      ...{ capacity: capacity(), transcriptSeconds: 1 },
    }),
  });
}

const SERVERS: readonly (readonly [string, () => Hono | Promise<Hono>])[] = [
  ["a miner", miner],
  ["a validator", () => validator(true)],
  ["a validator that only tests", () => validator(false)],
];

async function documented(app: Hono): Promise<string[]> {
  const { paths } = await (await app.request(PATHS.openapi)).json();
  return Object.entries<object>(paths)
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    ).toSorted();
}

function served({ routes }: Hono): string[] {
  return [
    ...new Set(
      routes.filter(({ method }) => method !== "ALL")
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
    ),
  ].toSorted();
}

test.each(SERVERS)("%s serves what it documents, and documents what it serves", async (_, open) => {
  const app = await open();
  expect(await documented(app)).toEqual(served(app));
  expect(served(app).length).toBeGreaterThan(5);
});

test.each(SERVERS)("%s has every schema that its document names", async (_, open) => {
  const text = await (await (await open()).request(PATHS.openapi)).text();
  const { components: { schemas } } = JSON.parse(text);
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
    expect(schemas).toHaveProperty(name);
  }
});

test.each(SERVERS)("%s answers 404 to what is none of its routes", async (_, open) => {
  const app = await open();
  for (const path of ["/v1", "/v1/nothing", "/v1/generations/a/b/c", "/v2/info"]) {
    const response = await app.request(path);
    expect(response.status, path).toBe(404);
    expect((await response.json()).error.code).toBe("not_found");
  }
});

test("a handler gets its path's parameters, and the document names them", async () => {
  const routes = [route({
    ...{ method: "get", path: PATHS.step, auth: "open", answer: "Step", errors: [] },
    summary: "A step",
    handle: (context) => context.json(context.req.param()),
  })];
  const app = new Hono();
  mount(app, routes);
  const response = await app.request("/v1/generations/ab/steps/3");
  expect(await response.json()).toEqual({ id: "ab", step: "3" });
  const document = openApi({ title: "t", version: "1", description: "" }, {}, routes);
  expect(document).toMatchObject({
    paths: {
      "/v1/generations/{id}/steps/{step}": {
        get: { parameters: [{ name: "id" }, { name: "step" }] },
      },
    },
  });
});
