import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Hono } from "hono";
import { AppError } from "../../../core/error.ts";
import { withText } from "../../../core/image/mod.ts";
import type { Gateway, GatewayOptions } from "../../../server/gateway/mod.ts";
import type { Screen } from "../../../server/safety/mod.ts";
import { addKey, appOf, HeldMaker, makeAtOnce, testGateway } from "../../fixtures/gateway.ts";
import { SMALL_IMAGE } from "../../fixtures/receipt.ts";

const KEY = "a-key-of-an-application";
let stack: AsyncDisposableStack;
let gateway: Gateway;
let app: Hono;
let failures: unknown[];

beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

async function open(options: Partial<GatewayOptions> = {}): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  gateway = stack.use(await testGateway(folder, options));
  addKey(gateway, KEY);
  failures = [];
  app = appOf(gateway, (error) => failures.push(error));
}

function ask(path: string, init: RequestInit & { readonly key?: string } = {}) {
  const { key = KEY, headers, ...rest } = init;
  return app.request(path, {
    ...rest,
    headers: { authorization: `Bearer ${key}`, ...Object(headers) },
  });
}

const post = (body: BodyInit, headers: Record<string, string> = {}) =>
  ask("/v1/jobs", { method: "POST", body, headers });
const postJson = (json: unknown, headers?: Record<string, string>) =>
  post(JSON.stringify(json), headers);

const NO_BAD: Screen = {
  request: ({ prompt }) => {
    if (prompt === "bad") {
      throw new AppError("content_blocked", "Cannot generate: the prompt is bad");
    }
    return [];
  },
  image: () => Promise.resolve([]),
};

// deno-lint-ignore no-explicit-any
async function ended(id: string): Promise<any> {
  await gateway.parts.jobs.wait(`id-${KEY}`, id);
  return await (await ask(`/v1/jobs/${id}`)).json();
}

describe("POST /v1/jobs", () => {
  test("answers 202 with an id, and the job is on disk", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make });
    stack.defer(() => maker.failAll());
    const response = await postJson({ request: { prompt: "a tau", batch: 3, seed: 5 } });
    expect(response.status).toBe(202);
    const { id, state, images } = await response.json();
    expect(response.headers.get("location")).toBe(`/v1/jobs/${id}`);
    expect(state).toBe("queued");
    expect(images.map(({ seed }: { seed: string }) => seed)).toEqual(["5", "6", "7"]);
    expect(gateway.store.jobs.get(id)?.images).toHaveLength(3);
  });

  test("ends in images with receipts, which a link opens without a key", async () => {
    await open();
    const { id } = await (await postJson({ request: { prompt: "a tau" }, format: "webp" })).json();
    const job = await ended(id);
    expect(job).toMatchObject({
      state: "done",
      images: [{ n: 0, state: "done", mediaType: "image/webp", receipt: { invented: true } }],
    });
    const [{ url }] = job.images;
    const image = await app.request(url);
    expect(image.headers.get("content-type")).toBe("image/webp");
    expect(await image.bytes()).toEqual(SMALL_IMAGE);
    expect((await ask(`/v1/jobs/${id}/images/0`)).status).toBe(200);
    for (const wrong of [url.replace("images/0", "images/1"), url.replace(/.$/, "_"), `${url}x`]) {
      expect((await app.request(wrong)).status, wrong).toBe(403);
    }
    expect((await app.request(url.split("?")[0])).status).toBe(401);
  });

  test("takes files as data URLs, as parts of a form, and by hash once they were sent", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make });
    stack.defer(() => maker.failAll());
    const data = `data:image/png;base64,${SMALL_IMAGE.toBase64()}`;
    const mask = withText(SMALL_IMAGE, "png", "another file of the same size");
    await postJson({ request: { prompt: "data:image/png;base64,AAAA", image: data } });
    const form = new FormData();
    form.set("request", JSON.stringify({ request: { prompt: "a tau", strength: 0.5 } }));
    form.set("image", new Blob([SMALL_IMAGE]), "a.png");
    form.set("mask", new Blob([mask]), "b.png");
    expect((await post(form)).status).toBe(202);
    await maker.reached(2);
    const [first, second] = maker.begun;
    expect(first[0].prompt).toBe("data:image/png;base64,AAAA");
    expect(first[2].inputs.get(first[0].image ?? "")).toEqual(SMALL_IMAGE);
    expect(second[0].image).toBe(first[0].image);
    expect(second[2].inputs.get(second[0].mask ?? "")).toEqual(mask);
    expect((await postJson({ request: { image: first[0].image } })).status).toBe(202);
  });

  test("with the same Idempotency-Key is the same job", async () => {
    await open();
    const headers = { "idempotency-key": "one" };
    const call = { request: { prompt: "a tau" } };
    const [one, two] = [await postJson(call, headers), await postJson(call, headers)];
    expect((await one.json()).id).toBe((await two.json()).id);
    const other = await postJson({ request: { prompt: "another" } }, headers);
    expect(other.status).toBe(409);
    expect((await other.json()).error.code).toBe("idempotency_conflict");
  });

  test("is the same job in a form of another boundary, also when the key may ask no more", async () => {
    await open();
    const form = () => {
      const parts = new FormData();
      parts.set("request", JSON.stringify({ request: { prompt: "a tau" } }));
      parts.set("image", new Blob([SMALL_IMAGE]), "a.png");
      return parts;
    };
    const headers = { "idempotency-key": "one" };
    const first = await post(form(), headers);
    expect(first.status).toBe(202);
    gateway.store.keys.limit(`id-${KEY}`, { requestsPerMinute: 1, imagesPerDay: 1 }, undefined);
    expect((await postJson({ request: {} })).status).toBe(429);
    const again = await post(form(), headers);
    expect([again.status, (await again.json()).id]).toEqual([202, (await first.json()).id]);
  });

  test.each([
    ["is no picture", "AAAA", /image: it is of another kind/],
    ["is cut off", SMALL_IMAGE.slice(0, 60).toBase64(), /image/],
  ])("refuses a file that %s, when the key's limit lets it be looked at", async (_, file, why) => {
    await open();
    const call = { request: { image: `data:image/png;base64,${file}` } };
    const response = await postJson(call);
    expect([response.status, (await response.json()).error.message])
      .toEqual([400, expect.stringMatching(why)]);
    gateway.store.keys.limit(`id-${KEY}`, { imagesPerDay: 0 }, undefined);
    expect((await postJson(call)).status).toBe(429);
  });

  test("a size that is not asked for is that of the image's shape", async () => {
    await open();
    const image = `data:image/png;base64,${SMALL_IMAGE.toBase64()}`;
    const { id } = await (await postJson({ request: { image, batch: 2 } })).json();
    const [{ request }] = gateway.store.jobs.get(id)?.images ?? [];
    expect([request.width, request.height]).toEqual([64, 64]);
  });

  test.each([
    ["no JSON", "{", 400, /not JSON/],
    ["no request", "{}", 400, /request is missing/],
    ["a field that is none", '{"request":{},"size":1}', 400, /size is not a field/],
    ["too many images", '{"request":{"batch":11}}', 400, /batch is 11/],
    ["a size", '{"request":{"width":3}}', 400, /width is 3/],
    ["a webhook", '{"request":{},"webhook":"file:///etc"}', 400, /webhook is/],
    ["a file in no base64", '{"request":{"image":"data:image/png,x"}}', 400, /image is a data URL/],
    ["a file in bad base64", '{"request":{"image":"data:a;base64,*"}}', 400, /image is not base64/],
    [
      "a file that nobody sent",
      `{"request":{"image":"${"1f".repeat(32)}"}}`,
      400,
      /names the file 1f1f/,
    ],
  ])("refuses %s", async (_, body, status, message) => {
    await open();
    const response = await post(body);
    expect(response.status).toBe(status);
    expect((await response.json()).error.message).toMatch(message);
    expect(failures).toEqual([]);
  });

  test("refuses what the model cannot make, and what the policy does not allow", async () => {
    const check = ({ steps }: { readonly steps: number }) => {
      if (steps > 9) throw new AppError("invalid_request", "Cannot generate: steps is too large");
    };
    const defaults = { width: 64, height: 64, steps: 4, guidanceScale: 5 };
    await open({
      model: { id: "tau-tiny", manifest: "cd".repeat(32), defaults, check },
      screen: () => NO_BAD,
    });
    expect((await postJson({ request: { steps: 10 } })).status).toBe(400);
    const blocked = await postJson({ request: { prompt: "bad" } });
    expect((await blocked.json()).error).toEqual({
      code: "content_blocked",
      message: "Cannot generate: the prompt is bad",
    });
    expect(gateway.store.jobs.openOf(`id-${KEY}`)).toEqual({ jobs: 0, images: 0 });
  });

  test("needs a key of this validator", async () => {
    await open();
    const call = { method: "POST", body: "{}" };
    expect((await app.request("/v1/jobs", call)).status).toBe(401);
    expect((await ask("/v1/jobs", { ...call, key: "a-key-of-nobody-here" })).status).toBe(403);
  });
});

test("a key is limited in requests a minute and models, at once after a change", async () => {
  await open();
  const call = { request: { prompt: "a tau" } };
  const limit = (limits: object) => gateway.store.keys.limit(`id-${KEY}`, limits, undefined);
  limit({ requestsPerMinute: 2 });
  const statuses = [];
  for (let k = 0; k < 3; k++) statuses.push((await postJson(call)).status);
  expect(statuses).toEqual([202, 202, 429]);
  limit({ models: ["another"] });
  expect((await postJson(call)).status).toBe(403);
  limit({});
  expect((await postJson(call)).status).toBe(202);
  gateway.store.keys.revoke(`id-${KEY}`);
  expect((await postJson(call)).status).toBe(403);
});

test("GET /v1/jobs lists the key's own, by state and page by page", async () => {
  await open();
  const ids: string[] = [];
  for (let k = 0; k < 3; k++) {
    ids.unshift((await (await postJson({ request: { seed: k } })).json()).id);
    await ended(ids[0]);
  }
  const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id);
  const first = await (await ask("/v1/jobs?limit=2")).json();
  expect(idsOf(first.jobs)).toEqual(ids.slice(0, 2));
  const second = await (await ask(`/v1/jobs?limit=2&before=${first.next}`)).json();
  expect([idsOf(second.jobs), second.next]).toEqual([ids.slice(2), null]);
  expect((await (await ask("/v1/jobs?state=failed")).json()).jobs).toEqual([]);
  expect((await ask("/v1/jobs?state=lost")).status).toBe(400);
  addKey(gateway, "another-key-of-somebody");
  const others = await ask("/v1/jobs", { key: "another-key-of-somebody" });
  expect((await others.json()).jobs).toEqual([]);
});

test("DELETE cancels", async () => {
  const maker = new HeldMaker();
  await open({ make: maker.make });
  stack.defer(() => maker.failAll());
  const { id } = await (await postJson({ request: {} })).json();
  const response = await ask(`/v1/jobs/${id}`, { method: "DELETE" });
  expect((await response.json()).state).toBe("cancelled");
  expect((await ask("/v1/jobs/job_0", { method: "DELETE" })).status).toBe(404);
});

describe("events", () => {
  test("are server-sent, with ids from which they are resumed", async () => {
    await open({
      make: (request, format, making) => {
        making.onStep({ step: 1, steps: 4, preview: "data:image/png;base64,AA==" });
        return makeAtOnce(request, format, making);
      },
    });
    const { id } = await (await postJson({ request: { batch: 2 } })).json();
    await ended(id);
    const whole = await ask(`/v1/jobs/${id}/events`);
    expect(whole.headers.get("content-type")).toBe("text/event-stream");
    expect(eventsIn(await whole.text())).toEqual([["1", "image"], ["2", "image"], ["3", "done"]]);
    const rest = await ask(`/v1/jobs/${id}/events`, { headers: { "last-event-id": "2" } });
    expect(eventsIn(await rest.text())).toEqual([["3", "done"]]);
  });

  test("say the progress with previews while it is made", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make });
    const { id } = await (await postJson({ request: {} })).json();
    await maker.reached(1);
    const response = await ask(`/v1/jobs/${id}/events`);
    maker.begun[0][2].onStep({ step: 1, steps: 4, preview: "data:image/png;base64,AA==" });
    const { images } = await (await ask(`/v1/jobs/${id}`)).json();
    expect(images).toMatchObject([{ state: "running", step: 1, steps: 4 }]);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("event: progress\n")) text += (await reader?.read())?.value ?? "";
    expect(text).toMatch(/data: \{"image":0,"step":1,"steps":4,"preview"/);
    maker.finish(0);
    while (!text.includes("event: done\n")) text += (await reader?.read())?.value ?? "";
  });

  test("have no previews under a policy that looks at each image before it is shown", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make, screen: () => ({ ...NO_BAD, previews: false }) });
    stack.defer(() => maker.failAll());
    await postJson({ request: {} });
    await maker.reached(1);
    expect(maker.begun[0][2].previews).toBe(false);
  });

  const eventsIn = (text: string) =>
    [...text.matchAll(/^id: (.*)\nevent: (.*)$/gm)].map(([, id, name]) => [id, name]);
});
