import { afterEach, beforeEach, describe, expect, test } from "vitest";
import OpenAI, { toFile } from "openai";
import { AppError } from "../../../core/error.ts";
import { decodeInputImage, encodeImage } from "../../../core/image/mod.ts";
import type { Gateway, GatewayOptions, Making } from "../../../server/gateway/mod.ts";
import type { Screen } from "../../../server/safety/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import { addKey, appOf, HeldMaker, makeAtOnce, testGateway } from "../../fixtures/gateway.ts";
import { SMALL_IMAGE } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const KEY = "a-key-of-an-application";
let stack: AsyncDisposableStack;
let gateway: Gateway;
let asked: (readonly [GenerationRequest, Making])[];
let statuses: number[];
/** Called when a call was refused for its rate. */
let released: () => void;

beforeEach(() => {
  stack = new AsyncDisposableStack();
  asked = [];
  statuses = [];
  released = () => {};
});
afterEach(() => stack.disposeAsync());

const NO_BAD: Screen = {
  request: ({ prompt }) => {
    if (prompt === "bad") throw new AppError("content_blocked", "Cannot generate: it is bad");
    return [];
  },
  image: () => Promise.resolve([]),
};

/** OpenAI's own client, whose calls are calls on the interface. */
async function client(options: Partial<GatewayOptions> = {}, apiKey = KEY): Promise<OpenAI> {
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  gateway = stack.use(
    await testGateway(folder, {
      make: (request, format, making) => {
        asked.push([request, making]);
        making.onStep({ step: 2, steps: 4, preview: "data:image/png;base64,AAAA" });
        return makeAtOnce(request, format, making);
      },
      screen: () => NO_BAD,
      ...options,
    }),
  );
  addKey(gateway, KEY);
  const app = appOf(gateway);
  return new OpenAI({
    ...{ apiKey, baseURL: "http://gateway.test/v1", dangerouslyAllowBrowser: true },
    fetch: async (url, init) => {
      const response = await app.request(String(url), init as RequestInit);
      statuses.push(response.status);
      if (response.status !== 429) return response;
      // What it would wait for; the test does not.
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      response.headers.set("retry-after-ms", "1");
      released();
      return response;
    },
  });
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejection(promise);
  return error instanceof OpenAI.APIError
    ? { name: error.constructor.name, status: error.status, code: error.code, param: error.param }
    : error;
}

describe("generations", () => {
  test("are base64 by default, whatever model OpenAI's clients name", async () => {
    const openai = await client();
    for (const model of [undefined, "gpt-image-1", "dall-e-3", "tau-tiny"]) {
      const { data, created } = await openai.images.generate({ prompt: "a tau", model });
      expect(data?.map(({ b64_json }) => b64_json)).toEqual([SMALL_IMAGE.toBase64()]);
      expect(created).toBeGreaterThan(0);
    }
  });

  test("of n = 4 are four images of four seeds", async () => {
    const openai = await client();
    const { data } = await openai.images.generate({ prompt: "a tau", n: 4 });
    expect(data).toHaveLength(4);
    expect(new Set(asked.map(([{ seed }]) => seed)).size).toBe(4);
  });

  test("by url are links that open without a key", async () => {
    const openai = await client();
    const { data } = await openai.images.generate({ prompt: "a tau", response_format: "url" });
    const { pathname, search } = new URL(data?.[0].url ?? "");
    const image = await appOf(gateway).request(pathname + search);
    expect(await image.bytes()).toEqual(SMALL_IMAGE);
  });

  test("stream partial images and then the whole one", async () => {
    const openai = await client();
    const stream = await openai.images.generate({
      ...{ prompt: "a tau", stream: true, partial_images: 2 },
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({
      ...{ type: "image_generation.completed", b64_json: SMALL_IMAGE.toBase64() },
      ...{ output_format: "png", size: "64x64" },
    });
    for (const event of events.slice(0, -1)) {
      expect(event).toMatchObject({ type: "image_generation.partial_image", b64_json: "AAAA" });
    }
  });

  test("take a size that the model cannot make to the nearest, and say which", async () => {
    const check = ({ width }: GenerationRequest) => {
      if (width % 64 !== 0) throw new AppError("invalid_request", `width is ${width}`);
    };
    const defaults = { width: 64, height: 64, steps: 4, guidanceScale: 5 };
    const openai = await client({ model: { id: "tau-tiny", manifest: "ab", defaults, check } });
    const answer = await openai.images.generate({ prompt: "a tau", size: "1000x1016" as "auto" });
    expect(answer.size).toBe("1024x1024");
  });
});

describe("edits", () => {
  const clear = encodeImage({
    ...{ width: 64, height: 64 },
    data: new Uint8ClampedArray(4 * 64 * 64).fill(255),
  }, "png");

  test("take what the mask leaves clear as what is drawn anew", async () => {
    const openai = await client();
    const mask = maskPng();
    await openai.images.edit({
      ...{ prompt: "snow", model: "gpt-image-1" },
      image: await toFile(await clear, "a.png", { type: "image/png" }),
      mask: await toFile(await mask, "m.png", { type: "image/png" }),
    });
    const [[request, { inputs }]] = asked;
    expect(inputs.get(request.image ?? "")).toEqual(await clear);
    const { data } = await decodeInputImage(
      inputs.get(request.mask ?? "") ?? new Uint8Array(),
      "mask",
    );
    // The first pixel was clear, the last was not.
    expect([...data.slice(0, 4), ...data.slice(-4)]).toEqual([255, 255, 255, 255, 0, 0, 0, 255]);
  });

  test("come as JSON too", async () => {
    await client();
    const image_url = `data:image/png;base64,${(await clear).toBase64()}`;
    const response = await appOf(gateway).request("/v1/images/edits", {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ prompt: "snow", images: [{ image_url }], mask: null }),
    });
    expect(response.status).toBe(200);
    expect(asked[0][0].image).toBeDefined();
  });

  test("are refused for a key's limit before anything is decoded", async () => {
    const openai = await client();
    gateway.store.keys.limit(`id-${KEY}`, { imagesPerDay: 0 }, undefined);
    const image = await toFile(new TextEncoder().encode("<svg/>"), "a.svg");
    const refused = openai.images.edit({ prompt: "snow", image }, { maxRetries: 0 });
    expect(await errorOf(refused)).toMatchObject({ name: "RateLimitError" });
  });

  test("of what is no image are refused", async () => {
    const openai = await client();
    const image = await toFile(new TextEncoder().encode("<svg/>"), "a.svg");
    expect(await errorOf(openai.images.edit({ prompt: "snow", image }))).toMatchObject({
      ...{ name: "BadRequestError", param: "image" },
    });
  });
});

/** Half transparent, of 64x64 pixels: WebP, since our PNGs have no transparency. */
async function maskPng(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: encode } = await import("@jsquash/png/encode.js");
  const data = new Uint8ClampedArray(4 * 64 * 64).fill(255);
  for (let at = 3; at < data.length / 2; at += 4) data[at] = 0;
  return new Uint8Array(await encode({ width: 64, height: 64, data } as ImageData));
}

test("models are listed, and found by name", async () => {
  const openai = await client();
  expect((await openai.models.list()).data).toMatchObject([{ id: "tau-tiny", object: "model" }]);
  expect((await openai.models.retrieve("tau-tiny")).id).toBe("tau-tiny");
  expect(await errorOf(openai.models.retrieve("other"))).toMatchObject({ status: 404 });
});

test("who waits while the validator stops is told when to come again, and the job goes on", async () => {
  const maker = new HeldMaker();
  const openai = await client({ make: maker.make });
  stack.defer(() => maker.failAll());
  const options = { maxRetries: 0, headers: { "idempotency-key": "one" } };
  const whole = rejection(openai.images.generate({ prompt: "a tau" }, options));
  const stream = await openai.images.generate({ prompt: "a tau", stream: true });
  await maker.reached(2);
  const told = rejection((async () => {
    for await (const _ of stream);
  })());
  gateway.stop();
  expect(await whole).toMatchObject({ status: 503, code: "not_ready" });
  expect(String(await told)).toContain("The job goes on: /v1/jobs/job_");
  expect(gateway.store.jobs.open().map(({ state }) => state)).toEqual(["running", "running"]);
});

describe("errors are those that the client knows", () => {
  test("a wrong key", async () => {
    const openai = await client({}, "a-key-of-nobody-here");
    expect(await errorOf(openai.images.generate({ prompt: "a tau" }))).toMatchObject({
      ...{ name: "AuthenticationError", code: "invalid_api_key" },
    });
  });

  test("a prompt that is not allowed", async () => {
    const openai = await client();
    expect(await errorOf(openai.images.generate({ prompt: "bad" }))).toMatchObject({
      ...{ name: "BadRequestError", code: "moderation_blocked" },
    });
    expect(statuses).toEqual([400]);
  });

  test("a model that is not served, and a field", async () => {
    const openai = await client();
    const model = errorOf(openai.images.generate({ prompt: "a tau", model: "sdxl" }));
    expect(await model).toMatchObject({ name: "NotFoundError", code: "model_not_found" });
    const n = errorOf(openai.images.generate({ prompt: "a tau", n: 11 }));
    expect(await n).toMatchObject({ name: "BadRequestError", param: "n" });
  });

  test("an image that could not be made, in a stream too", async () => {
    const make = () => Promise.reject(new AppError("not_finite", "Cannot generate: it is NaN"));
    const openai = await client({ make });
    expect(await errorOf(openai.images.generate({ prompt: "a tau" }))).toMatchObject({
      status: 400,
    });
    const stream = await openai.images.generate({ prompt: "a tau", stream: true });
    await expect((async () => {
      for await (const _ of stream);
    })()).rejects.toThrow("it is NaN");
  });

  test("a rate limit, after which the client tries again by itself", async () => {
    const openai = await client();
    gateway.store.keys.limit(`id-${KEY}`, { jobs: 0 }, undefined);
    released = () => gateway.store.keys.limit(`id-${KEY}`, {}, undefined);
    const answer = await openai.images.generate({ prompt: "a tau" }, { maxRetries: 1 });
    expect(answer.data).toHaveLength(1);
    expect(statuses).toEqual([429, 200]);
  });
});
