import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Hono } from "hono";
import { resize } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { Gateway, KeyLimits } from "../../../server/gateway/mod.ts";
import { RetryLater } from "../../../server/http/mod.ts";
import type { Forwarded, Waiting } from "../../../server/validator/forwarder.ts";
import { makeBy } from "../../../server/validator/make_by_miners.ts";
import { addKey, appOf, PICTURES, testGateway } from "../../fixtures/gateway.ts";
import { fileOf, gradient } from "../../fixtures/pictures.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const KEY = "a-key-of-an-application";
const hotkey = openHotkey("11".repeat(32));
const FIRST = await fileOf(gradient(64, 40));
const receipt = await inventedReceipt(hotkey, SMALL_REQUEST, {});

/** What a miner answers to the nth of its calls. */
function answerOf(n: number): Forwarded {
  return {
    peer: { uid: 1, hotkey: hotkey.address, url: "http://127.0.0.1:1" },
    answer: { id: `0${n}`.repeat(32), receipt, token: "t".repeat(43) },
    ...{ image: FIRST, verdict: "honest" },
  };
}

const generate = vi.fn((_request: GenerationRequest, _format: string, _waiting?: Waiting) =>
  Promise.resolve(answerOf(generate.mock.calls.length))
);
let folder: string;
let gateway: Gateway;
let app: Hono;

beforeEach(async () => {
  generate.mockClear();
  folder = await temporaryFolder();
});
afterEach(() => gateway[Symbol.asyncDispose]());

async function open(limits: KeyLimits = {}): Promise<void> {
  const make = makeBy({ forwarder: { generate }, pictures: PICTURES, lineageOf: () => [] });
  gateway = await testGateway(folder, { make });
  addKey(gateway, KEY, limits);
  app = appOf(gateway);
}

async function call(path: string, json?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${KEY}` };
  return await app.request(
    path,
    json ? { method: "POST", body: JSON.stringify(json), headers } : { headers },
  );
}

// deno-lint-ignore no-explicit-any
async function ended(asked: Response): Promise<any> {
  const { id } = await asked.json();
  await gateway.parts.jobs.wait(`id-${KEY}`, id);
  return await (await call(`/v1/jobs/${id}`)).json();
}

const ORDER = { request: { prompt: "a tau" }, upscale: 1.5, refine: 0.5 };

test("a job's image is enlarged and drawn anew, and the job has what checks both runs", async () => {
  await open();
  const job = await ended(await call("/v1/jobs", { ...ORDER, format: "webp" }));
  const [[one, first], [two, last, waiting]] = generate.mock.calls;
  expect([one, first]).toMatchObject([{ width: 64, height: 64, image: undefined }, "png"]);
  expect([two, last]).toMatchObject([
    { width: 96, height: 96, strength: 0.5, parent: "01".repeat(32), upscaler: "lanczos" },
    "webp",
  ]);
  // The very file that whoever checks it makes of the first.
  expect(waiting?.inputs?.get(two.image ?? ""))
    .toEqual(await fileOf(resize(gradient(64, 40), { width: 96, height: 96 })));
  expect(job).toMatchObject({
    state: "done",
    images: [{
      ...{ width: 96, height: 96, receiptId: "02".repeat(32), token: "t".repeat(43) },
      parent: {
        ...{ id: "01".repeat(32), token: "t".repeat(43), verdict: "honest", witness: null },
        ...{ receipt: JSON.parse(JSON.stringify(receipt)), miner: { uid: 1 } },
      },
    }],
  });
});

test("it counts as two images of a key, while it waits and when it is made", async () => {
  await open({ imagesPerDay: 5 });
  const held = Promise.withResolvers<Forwarded>();
  generate.mockImplementationOnce(() => held.promise);
  const asked = await call("/v1/jobs", ORDER);
  expect(gateway.store.jobs.openOf(`id-${KEY}`)).toEqual({ jobs: 1, images: 2 });
  // Two more of two runs are four, of the three that are left.
  expect((await call("/v1/jobs", { ...ORDER, request: { batch: 2 } })).status).toBe(429);
  held.resolve(answerOf(1));
  await ended(asked);
  // 64 x 64 and 96 x 96 pixels, four steps each.
  expect(gateway.store.usage.list()).toMatchObject([{
    images: 2,
    pixelSteps: 4 * (64 ** 2 + 96 ** 2),
  }]);
  expect((await call("/v1/jobs", { ...ORDER, request: { batch: 2 } })).status).toBe(429);
  expect((await call("/v1/jobs", ORDER)).status).toBe(202);
});

test("a process that goes on with the job refines it too", async () => {
  await open();
  generate.mockRejectedValueOnce(new RetryLater("no_miner", "Cannot generate: none serves", 60));
  const { id } = await (await call("/v1/jobs", ORDER)).json();
  await vi.waitFor(() => expect(generate).toHaveBeenCalledOnce());
  await gateway[Symbol.asyncDispose]();
  generate.mockClear();
  gateway = await testGateway(folder, {
    make: makeBy({ forwarder: { generate }, pictures: PICTURES, lineageOf: () => [] }),
  });
  const { images } = await gateway.parts.jobs.wait(`id-${KEY}`, id);
  expect(images[0].record).toMatchObject({ id: "02".repeat(32), parent: { id: "01".repeat(32) } });
});

test("the same Idempotency-Key with another refinement is another call", async () => {
  await open();
  const once = async (json: unknown) =>
    (await app.request("/v1/jobs", {
      ...{ method: "POST", body: JSON.stringify(json) },
      headers: { authorization: `Bearer ${KEY}`, "idempotency-key": "a" },
    })).status;
  expect(await once(ORDER)).toBe(202);
  expect(await once(ORDER)).toBe(202);
  expect(await once({ ...ORDER, refine: 0.6 })).toBe(409);
});

test.each([
  [{ refine: 0.5 }, {}, /refine is 0\.5, and upscale, of which it is a part, is left out/],
  [{ upscale: 9 }, {}, /upscale/],
  [{ upscale: 2, refine: 0 }, {}, /refine/],
  [{ upscale: 2 }, { width: 4096, height: 4096 }, /4096x4096 times 2 is 8192x8192 pixels/],
  [{ upscale: 2 }, { image: "0a".repeat(32), mask: "0a".repeat(32) }, /a mask is given/],
])("%j of %j is refused before anything is made", async (more, request, why) => {
  await open();
  const response = await call("/v1/jobs", { request: { prompt: "a tau", ...request }, ...more });
  expect(response.status).toBe(400);
  expect((await response.json()).error.message).toMatch(why);
  expect(generate).not.toHaveBeenCalled();
});
