import fc from "fast-check";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { a1111Routes } from "../../../server/gateway/a1111/mod.ts";
import { mcpRoutes } from "../../../server/gateway/mcp/mod.ts";
import { mount } from "../../../server/http/mod.ts";
import { addKey, INVENTED, testGateway } from "../../fixtures/gateway.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../../fixtures/receipt.ts";

/** Whatever is sent, none of our own mistakes is the answer, and each API keeps to its own shape of errors. */

const KEY = "a-key-of-an-application";
/**
 * With 1,200 runs each, and 7,000 of the other interfaces' calls (hostile_calls.test.ts), 13,300 requests in
 * all, none was our own mistake either; this takes seconds.
 */
const RUNS = { drawing: 60, reading: 120 };
const SEED = 18;
const IMAGE = SMALL_IMAGE.toBase64();
const failures: unknown[] = [];
const stack = new AsyncDisposableStack();
let app: Hono;
beforeAll(async () => {
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const receipt = await inventedReceipt(openHotkey("11".repeat(32)), SMALL_REQUEST);
  const made = { image: SMALL_IMAGE, record: { ...INVENTED, receipt } };
  const { parts: gateway } = stack.use(
    await testGateway(folder, { make: () => Promise.resolve(made) }),
  );
  addKey({ store: gateway.store } as never, KEY);
  const failed = (error: unknown) => failures.push(error);
  app = new Hono();
  mount(app, [
    ...a1111Routes({
      ...{ gateway, loras: [], version: "test" },
      ...{ random: () => 0.5, failed },
    }),
    ...mcpRoutes({ gateway, version: "test", failed }),
  ]);
});
afterAll(() => stack.disposeAsync());

/** Values that are often wrong. */
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  fc.constantFrom(0, -1, 1, 8, 64, 1e308, "", "-1", "\ud800", "<lora:x:1>", "((((", "[a:b:0.3]"),
  fc.constantFrom(IMAGE, `data:image/png;base64,${IMAGE}`, "data:,", "iVBORw0KGgo="),
  fc.constantFrom("Euler a", "Karras", "DPM++ 2M SGM Uniform", true, null, [], {}, [IMAGE]),
);

/** Some of an interface's fields, of such values. */
function bodyOf(fields: readonly string[], base: Readonly<Record<string, unknown>>) {
  const some = fc.dictionary(fc.constantFrom(...fields), odd, { maxKeys: 3 });
  return fc.oneof(
    { weight: 5, arbitrary: some.map((given) => JSON.stringify({ ...base, ...given })) },
    { weight: 1, arbitrary: odd.map((value) => JSON.stringify(value) ?? "null") },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  );
}

const FIELDS = [
  ...["prompt", "negative_prompt", "styles", "seed", "subseed_strength", "sampler_name", "steps"],
  ...[
    "scheduler",
    "batch_size",
    "n_iter",
    "cfg_scale",
    "width",
    "height",
    "restore_faces",
    "tiling",
  ],
  ...[
    "denoising_strength",
    "override_settings",
    "clip_skip",
    "enable_hr",
    "hr_upscaler",
    "hr_scale",
  ],
  ...["script_name", "alwayson_scripts", "send_images", "infotext", "init_images", "resize_mode"],
  ...[
    "mask",
    "inpainting_fill",
    "inpaint_full_res",
    "inpainting_mask_invert",
    "image",
    "refiner_checkpoint",
  ],
  ...["upscaling_resize", "upscaler_1", "sd_model_checkpoint", "sampler_index", "hr_resize_x"],
];
const SMALL = { width: 64, height: 64, steps: 2 };

describe("AUTOMATIC1111's API", () => {
  test.each([
    ["txt2img", RUNS.drawing, SMALL],
    ["img2img", RUNS.drawing, { ...SMALL, init_images: [IMAGE] }],
    ["png-info", RUNS.reading, { image: IMAGE }],
    ["options", RUNS.reading, {}],
  ])("%s", async (path, numRuns, base) => {
    await fc.assert(
      fc.asyncProperty(bodyOf(FIELDS, base), async (body) => {
        const response = await app.request(`/sdapi/v1/${path}`, {
          ...{ method: "POST", body, headers: { authorization: `Basic ${btoa(`x:${KEY}`)}` } },
        });
        const json = await response.json();
        expect(response.status, body).not.toBe(500);
        if (response.status !== 200) expect(json, body).toHaveProperty("detail");
      }),
      { numRuns, seed: SEED },
    );
    expect(failures).toEqual([]);
  });

  test("a key's header is anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme-ascii" }), async (text) => {
        const response = await app.request("/sdapi/v1/options", {
          headers: { authorization: text },
        });
        expect(response.status).toBe(401);
      }),
      { numRuns: 300, seed: SEED },
    );
  });
});

test("the Model Context Protocol", async () => {
  const call = fc.record({
    jsonrpc: fc.oneof({ weight: 6, arbitrary: fc.constant("2.0") }, odd),
    id: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, odd),
    method: fc.oneof(
      fc.constantFrom("tools/call", "tools/list", "initialize", "ping", "resources/list"),
      odd,
    ),
    params: fc.oneof(
      odd,
      fc.record({
        name: fc.constantFrom("generate_image", "edit_image", "list_models", "draw"),
        arguments: fc.oneof(
          odd,
          fc.dictionary(
            fc.constantFrom(
              "prompt",
              "image",
              "mask",
              "count",
              "width",
              "steps",
              "seed",
              "strength",
            ),
            odd,
            { maxKeys: 4 },
          ).map((given) => ({ prompt: "a tau", ...SMALL, ...given })),
        ),
      }),
    ),
  }, { requiredKeys: [] });
  const body = fc.oneof(
    { weight: 8, arbitrary: call.map((value) => JSON.stringify(value)) },
    fc.string({ maxLength: 40 }),
  );
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const response = await app.request("/mcp", {
        ...{ method: "POST", body: text },
        headers: {
          ...{ authorization: `Bearer ${KEY}`, "content-type": "application/json" },
          accept: "application/json, text/event-stream",
        },
      });
      const answer = await response.text();
      expect(response.status, text).not.toBe(500);
      if (response.status >= 400) {
        expect(JSON.parse(answer), text).toMatchObject({ jsonrpc: "2.0", error: {} });
      }
    }),
    { numRuns: RUNS.reading, seed: SEED },
  );
  expect(failures).toEqual([]);
});
