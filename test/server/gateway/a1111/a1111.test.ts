import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  blurredMask,
  encodeImage,
  inputFormat,
  textIn,
  withText,
} from "../../../../core/image/mod.ts";
import { infotextOf, readInfotext } from "../../../../core/infotext/mod.ts";
import { openHotkey } from "../../../../core/keys/mod.ts";
import { encodeRequest, type GenerationRequest } from "../../../../core/request/mod.ts";
import { receiptId } from "../../../../core/transcript/mod.ts";
import { a1111Routes } from "../../../../server/gateway/a1111/mod.ts";
import type { Gateway, Made } from "../../../../server/gateway/mod.ts";
import { mount } from "../../../../server/http/mod.ts";
import { addKey, HeldMaker, testGateway } from "../../../fixtures/gateway.ts";
import { inventedReceipt } from "../../../fixtures/receipt.ts";

/** Requests as AUTOMATIC1111's clients send them, and what these read of the answers: facts of their sources. */

const hotkey = openHotkey("11".repeat(32));
const KEY = "a-key-of-an-application";
const LORA = { name: "ink", sha256: "ab".repeat(32) };
const MANIFEST = "cd".repeat(32);
const asked: { request: GenerationRequest; inputs: ReadonlyMap<string, Uint8Array> }[] = [];

/** A white image, and what a miner would sign of it; slow ones are made when a test says so. */
async function make(request: GenerationRequest): Promise<Made> {
  const { width, height } = request;
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  const receipt = await inventedReceipt(hotkey, encodeRequest(request), {
    model: { id: "tau-tiny", manifest: MANIFEST, precision: "float32" },
  });
  const file = await encodeImage({ width, height, data }, "png");
  return {
    image: withText(file, "png", infotextOf(receipt, "test")),
    record: {
      ...{ id: receiptId(receipt), receipt, token: "t".repeat(43) },
      miner: { uid: 1, hotkey: hotkey.address, url: "http://127.0.0.1:1" },
      ...{ witness: null, verdict: null, notices: [] },
    },
  };
}

let gateway: Gateway;
let held: Gateway;
let app: Hono;
let heldApp: Hono;
const maker = new HeldMaker();
const failures: unknown[] = [];
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  gateway = stack.use(
    await testGateway(await folder(), {
      make: (request, _, { inputs }) => {
        asked.push({ request, inputs });
        return make(request);
      },
    }),
  );
  held = stack.use(
    await testGateway(await folder(), { make: maker.make }),
  );
  [app, heldApp] = [gateway, held].map(appOf);
});
afterAll(() => stack.disposeAsync());

async function folder(): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(path, { recursive: true }));
  return path;
}

function appOf(each: Gateway): Hono {
  addKey(each, KEY, { nsfw: "off" });
  const app = new Hono();
  mount(
    app,
    a1111Routes({
      ...{ gateway: each.parts, loras: [LORA], version: "test" },
      ...{ random: () => 0.5, failed: (error: unknown) => failures.push(error) },
    }),
  );
  return app;
}

const authorization = `Basic ${btoa(`anybody:${KEY}`)}`;
const last = () => asked[asked.length - 1];

async function get(path: string, headers: Record<string, string> = { authorization }) {
  return await app.request(`/sdapi/v1/${path}`, { headers });
}

function send(path: string, body: unknown, to = app): Promise<Response> {
  return Promise.resolve(to.request(`/sdapi/v1/${path}`, {
    ...{ method: "POST", headers: { authorization, "content-type": "application/json" } },
    body: JSON.stringify(body),
  }));
}

describe("what clients ask for is drawn", () => {
  test("Open WebUI: reads options and models, sends the options back, then draws", async () => {
    const options = await (await get("options")).json();
    const models = await (await get("sd-models")).json();
    expect(models[0].title).toBe(options.sd_model_checkpoint);
    const back = { ...options, sd_model_checkpoint: models[0].title };
    expect((await send("options", back)).status).toBe(200);
    const response = await send("txt2img", {
      ...{ prompt: "a red tau", batch_size: 2, width: 64, height: 72, negative_prompt: "blurry" },
      ...{ steps: 6, cfg_scale: 4, sampler_name: "DPM++ 2M", scheduler: "Karras" },
    });
    const { images, info } = await response.json();
    expect(images).toHaveLength(2);
    expect(inputFormat(Uint8Array.fromBase64(images[0]))).toBe("png");
    expect(JSON.parse(info).all_seeds).toEqual([2147483647, 2147483648]);
    expect(last().request).toMatchObject({
      ...{ prompt: "a red tau", negativePrompt: "blurry", width: 64, height: 72, steps: 6 },
      ...{ guidanceScale: 4, scheduler: "dpmpp_2m_karras" },
    });
  });

  test("SillyTavern: the full set, with settings that are not in use", async () => {
    const lists = ["upscalers", "latent-upscale-modes", "sd-vae", "samplers", "schedulers"];
    for (const list of lists) expect(await (await get(list)).json(), list).toBeInstanceOf(Array);
    expect((await (await get("upscalers")).json())[0].name).toBe("None");
    const progress = await (await get("progress")).json();
    expect(progress).toMatchObject({ progress: 0, state: { job_count: 0 } });
    const response = await send("txt2img", {
      ...{ url: "http://x", auth: "a:b", prompt: "a fox", negative_prompt: "", steps: 5 },
      ...{ sampler_name: "Euler a", scheduler: "Automatic", width: 64, height: 64, cfg_scale: 7 },
      ...{ enable_hr: false, hr_upscaler: "Latent", hr_scale: 2, hr_second_pass_steps: 0 },
      ...{ denoising_strength: 0.7, clip_skip: 2, restore_faces: false, seed: 7 },
      override_settings: { CLIP_stop_at_last_layers: 2, sd_vae: "Automatic" },
      ...{ override_settings_restore_afterwards: true, save_images: true, send_images: true },
      ...{ do_not_save_grid: false, do_not_save_samples: false },
    });
    expect((await response.json()).images).toHaveLength(1);
    expect(last().request).toMatchObject({ seed: 7n, clipSkip: 1, scheduler: "euler_a" });
  });

  test("LibreChat: images without a prefix, and info as JSON in a string", async () => {
    const response = await send("txt2img", {
      ...{ prompt: "a hill", negative_prompt: "fog", cfg_scale: 4.5, steps: 22 },
      ...{ width: 64, height: 64 },
    });
    const { images: [image], info } = await response.json();
    expect(image).not.toMatch(/^data:/);
    const { seed, width, height, infotexts } = JSON.parse(info);
    expect({ seed, width, height }).toEqual({ seed: 2147483647, width: 64, height: 64 });
    expect(readInfotext(infotexts[0])).toMatchObject({
      ...{ prompt: "a hill", negativePrompt: "fog" },
      parameters: { Steps: "22", "CFG scale": "4.5", Seed: "2147483647" },
    });
  });

  test("aiyabot: what it reads at its start, a LoRA in the prompt, an image as a data URL", async () => {
    for (const list of ["prompt-styles", "face-restorers", "hypernetworks", "cmd-flags"]) {
      expect((await get(list)).status, list).toBe(200);
    }
    expect(await (await get("embeddings")).json()).toEqual({ loaded: {}, skipped: {} });
    expect((await app.request("/login", { method: "POST", body: "username=a" })).status).toBe(200);
    expect(await (await app.request("/config")).json()).toEqual({ components: [] });
    const data = new Uint8ClampedArray(4 * 64 * 64).fill(200);
    const file = await encodeImage({ width: 64, height: 64, data }, "png");
    const response = await send("img2img", {
      ...{ prompt: "a fox <lora:ink:0.7>", sampler_index: "DPM++ 2M Karras", n_iter: 1 },
      ...{ styles: ["none"], denoising_strength: 0.5, seed: "11", width: 64, height: 64 },
      init_images: [`data:image/png;base64,${file.toBase64()}`],
      override_settings: {},
    });
    const { images: [image], parameters } = await response.json();
    expect(parameters).toMatchObject({ init_images: null, mask: null, seed: "11" });
    const { request, inputs } = last();
    expect(request).toMatchObject({
      ...{ prompt: "a fox", seed: 11n, strength: 0.5, scheduler: "dpmpp_2m_karras" },
      adapters: [{ sha256: LORA.sha256, scale: 0.7 }],
    });
    expect([...inputs.values()]).toEqual([file]);
    const text = textIn(Uint8Array.fromBase64(image), "png") ?? "";
    expect(readInfotext(text).parameters.Seed).toBe("11");
  });
});

describe("the rest of its fields", () => {
  test("weights in a prompt are read as AUTOMATIC1111 reads them; a plain prompt stays plain", async () => {
    await send("txt2img", { prompt: "a (red:1.3) tau", width: 64, height: 64 });
    expect(last().request.weighting).toBe("a1111");
    await send("txt2img", { prompt: "a red tau", width: 64, height: 64 });
    expect(last().request.weighting).toBe("none");
  });

  test("infotext fills what the call leaves out", async () => {
    const infotext = "a fox\nSteps: 9, Sampler: Euler a, CFG scale: 3, Seed: 5, Size: 64x80";
    await send("txt2img", { infotext, seed: 6 });
    expect(last().request).toMatchObject({
      ...{ prompt: "a fox", steps: 9, scheduler: "euler_a", guidanceScale: 3, seed: 6n },
      ...{ width: 64, height: 80 },
    });
  });

  test("a mask's holes are filled from around them, or with what is there", async () => {
    const square = (paint: (x: number) => number) =>
      encodeImage({
        ...{ width: 64, height: 64 },
        data: new Uint8ClampedArray(4 * 64 * 64).map((_, k) =>
          k % 4 === 3 ? 255 : paint(Math.floor(k / 4) % 64)
        ),
      }, "png");
    const [image, mask] = [
      await square((x) => x < 32 ? 40 : 200),
      await square((x) => x < 32 ? 0 : 255),
    ];
    const call = { init_images: [image.toBase64()], mask: mask.toBase64(), width: 64, height: 64 };
    await send("img2img", { ...call, inpainting_fill: 1 });
    expect([...last().inputs.values()]).toEqual([image, mask]);
    await send("img2img", { ...call, inpainting_fill: 0 });
    const [filled] = last().inputs.values();
    // All that is known is 40.
    expect(filled).toEqual(await square(() => 40));
    await send("img2img", { ...call, inpainting_fill: 1, inpainting_mask_invert: 1 });
    const [, inverted] = last().inputs.values();
    expect(inverted).toEqual(await square((x) => x < 32 ? 255 : 0));
    await send("img2img", { ...call, inpainting_fill: 3 });
    const [grey] = last().inputs.values();
    expect(grey).toEqual(await square((x) => x < 32 ? 40 : 128));
    // Where it starts from noise alone, what was there counts for nothing.
    await send("img2img", { ...call, inpainting_fill: 2, denoising_strength: 1 });
    expect([...last().inputs.values()]).toEqual([image, mask]);
    expect(last().request.strength).toBe(1);
  });

  test("a mask's edges are as soft as mask_blur says", async () => {
    const paint = (at: (x: number) => number) => ({
      ...{ width: 64, height: 64 },
      data: new Uint8ClampedArray(4 * 64 * 64).map((_, k) =>
        k % 4 === 3 ? 255 : at(Math.floor(k / 4) % 64)
      ),
    });
    const hard = paint((x) => x < 32 ? 0 : 255);
    const file = (await encodeImage(hard, "png")).toBase64();
    const call = { init_images: [file], mask: file, width: 64, height: 64, inpainting_fill: 1 };
    await send("img2img", { ...call, mask_blur: 4 });
    const [, soft] = last().inputs.values();
    // What `--mask-blur` makes of it.
    expect(soft).toEqual(await encodeImage(blurredMask(hard, 4), "png"));
    expect((await send("img2img", { ...call, mask_blur_x: 4, mask_blur_y: 2 })).status).toBe(422);
  });

  test("hires fix: each image is enlarged once and drawn anew, and names its first", async () => {
    const before = asked.length;
    const response = await send("txt2img", {
      ...{ prompt: "a fox", width: 64, height: 64, enable_hr: true, hr_scale: 1.5 },
      ...{ denoising_strength: 0.4, hr_second_pass_steps: 3, seed: 1 },
    });
    expect(response.status).toBe(200);
    const [first, second] = asked.slice(before);
    expect(first.request).toMatchObject({ width: 64, height: 64, image: undefined });
    expect(second.request).toMatchObject({
      ...{ width: 96, height: 96, strength: 0.4, steps: 3, seed: 1n, upscaler: "lanczos" },
    });
    expect([...second.inputs.keys()]).toEqual([second.request.image]);
  });

  test("an image is enlarged; what is beside its picture is read", async () => {
    const { images: [image] } =
      await (await send("txt2img", { prompt: "a fox", width: 64, height: 64 })).json();
    const { items, parameters } = await (await send("png-info", { image })).json();
    expect(parameters).toMatchObject({ Prompt: "a fox", "Size-1": "64" });
    expect(items.parameters).toContain("a fox");
    const extra = { image, upscaling_resize: 2, upscaler_1: "Lanczos" };
    const enlarged = await (await send("extra-single-image", extra)).json();
    // IHDR's width.
    expect(Uint8Array.fromBase64(enlarged.image).slice(16, 20)).toEqual(
      Uint8Array.of(0, 0, 0, 128),
    );
  });
});

test("progress has step and preview while an image is made; interrupted, what is there is the answer", async () => {
  const answer = send("txt2img", { prompt: "a fox", n_iter: 2, width: 64, height: 64 }, heldApp);
  await maker.reached(2);
  const [, , { onStep }] = maker.begun[0];
  onStep({ step: 1, steps: 4, preview: "data:image/png;base64,AAAA" });
  const progress =
    await (await heldApp.request("/sdapi/v1/progress", { headers: { authorization } }))
      .json();
  expect(progress).toMatchObject({
    ...{ progress: 0.125, current_image: "AAAA" },
    state: { job_count: 2, sampling_step: 1, sampling_steps: 4 },
  });
  expect(await (await send("interrupt", {}, heldApp)).json()).toEqual({});
  expect((await answer).status).toBe(200);
  expect((await (await answer).json()).images).toEqual([]);
});

describe("refusals are in its own words", () => {
  test.each([
    [{ sampler_name: "DPM adaptive" }, 400],
    [{ steps: "many" }, 422],
    [{ tiling: true }, 422],
    [{ subseed: 3, subseed_strength: 0.2 }, 422],
    [{ seed_resize_from_w: 64 }, 422],
    [{ script_name: "x/y/z" }, 422],
    [{ alwayson_scripts: { ControlNet: {} } }, 422],
    [{ prompt: "<lora:none:1>" }, 422],
    [{ override_settings: { sd_model_checkpoint: "other" } }, 422],
    [{ batch_size: 9, n_iter: 9 }, 422],
    [{ enable_hr: true, hr_upscaler: "Latent" }, 422],
  ])("%j: %i", async (fields, status) => {
    const response = await send("txt2img", { width: 64, height: 64, ...fields });
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty("detail");
  });

  test("no key, a wrong one, and an empty header are 401", async () => {
    for (const value of ["", "Basic eDp5", `Bearer wrong-${KEY}`]) {
      expect((await get("options", { authorization: value })).status).toBe(401);
    }
    expect((await get("options", { authorization: `Bearer ${KEY}` })).status).toBe(200);
  });

  test("img2img without an image, what is no image, no JSON, and what is not served", async () => {
    expect((await send("img2img", {})).status).toBe(404);
    expect((await send("img2img", { init_images: ["@"] })).status).toBe(422);
    expect((await send("txt2img", [])).status).toBe(422);
    expect((await (await get("interrogate")).json()).detail).toBe("Not Found");
  });
});

test("nothing was our own mistake", () => expect(failures).toEqual([]));
