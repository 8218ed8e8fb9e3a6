/// <reference path="./private_files.d.ts" />
import { beforeEach, expect, test, vi } from "vitest";
import { signedPicture } from "../../browser/app/create/signed_picture.ts";
import { receiptsOfFiles, withGiven } from "../../browser/app/state/opened_files.ts";
import { modelOf } from "../../browser/app/worker/catalogue.ts";
import { reachOf } from "../../browser/app/worker/check.ts";
import { digest } from "../../browser/app/worker/file_hash.ts";
import { submitJob } from "../../browser/app/worker/jobs.ts";
import { withLoras } from "../../browser/app/worker/loras.ts";
import { enlarge } from "../../browser/app/worker/enlarge.ts";
import { ownInputs } from "../../browser/app/worker/own_inputs.ts";
import { edgesOfFile, picturesOf } from "../../browser/app/worker/input_pictures.ts";
import { parentEvidence } from "../../browser/app/worker/parent_evidence.ts";
import { inputsOfReceipt } from "../../browser/app/worker/receipt_inputs.ts";
import type { CheckOrder, GenerateOrder } from "../../browser/app/api/mod.ts";
import { decodeInputImage, encodeImage, resize, withText } from "../../core/image/mod.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { fileHash, receiptId } from "../../core/transcript/mod.ts";
import { decodeJobCall } from "../../server/gateway/routes/job_call.ts";
import { openKnownModel, openModel } from "../../server/models/mod.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../fixtures/receipt.ts";

beforeEach(() => {
  // The worker finds models beside its own script.
  vi.stubGlobal("location", { href: "http://page.example/assets/worker.js" });
  return () => vi.unstubAllGlobals();
});

const hotkey = openHotkey("11".repeat(32));

/** Left half black, right half white: its one edge goes from top to bottom. */
async function halves(width: number, height: number): Promise<File> {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    if (i % width < width / 2) data.fill(0, 4 * i, 4 * i + 3);
  }
  return new File([await encodeImage({ width, height, data }, "png")], "halves.png");
}

async function hashOf(file: Blob): Promise<string> {
  return await digest(new Uint8Array(await file.arrayBuffer()));
}

const hashesOf = async (file: Blob) => [await hashOf(file)];
const nothing = () => Promise.resolve([]);
const [image, mask] = [await halves(64, 64), await halves(128, 64)];
const lora = new File([
  await Deno.readFile(
    new URL("../golden/adapters/lora-sd1-peft/lora.safetensors", import.meta.url),
  ),
], "style.safetensors");

async function receiptOf(fields: object) {
  const receipt = await inventedReceipt(hotkey, { ...SMALL_REQUEST, ...fields });
  return { id: receiptId(receipt), receipt, at: 0 };
}

test.each([undefined, "fp16"])(
  "a receipt of the tab states what others state of it: %s",
  async (variant) => {
    const own = await (await openKnownModel("embedded", { variant })).facts();
    expect(own.control).toBeDefined();
    expect(await modelOf({ id: "tau-tiny", variant })?.facts()).toEqual(own);
  },
);

test("an order's files are named in its request by their hashes", async () => {
  const order = {
    source: { image, strength: 0.5 },
    control: { image, preprocess: "canny", scale: 0.7 },
    loras: [{ file: lora, scale: 0.8 }],
  } as unknown as GenerateOrder;
  const sha256 = await hashOf(image);
  const { named, loras, blobs } = await ownInputs(order);
  expect(named).toMatchObject({
    ...{ image: sha256, strength: 0.5 },
    control: [{ image: sha256, preprocess: "canny", scale: 0.7 }],
    adapters: [{ sha256: await hashOf(lora), scale: 0.8 }],
  });
  expect(Object.values(loras)).toEqual([lora]);
  expect(new Set(Object.values(blobs))).toEqual(new Set([image, lora]));
});

test("a mask that was not drawn on its image is refused, and a text for an image", async () => {
  const orderOf = (source: object) => ({ source: { strength: 0.5, ...source } }) as GenerateOrder;
  await expect(ownInputs(orderOf({ image, mask }))).rejects.toMatchObject({ field: "mask" });
  await expect(ownInputs(orderOf({ image: new Blob(["<svg/>"]) }))).rejects.toThrow(/SVG/);
});

test("of a photo the edges are found: one line, white on black", async () => {
  const { width, height, data } = await edgesOfFile(image);
  expect([width, height]).toEqual([256, 256]);
  const white = Array.from({ length: width }, (_, x) => data[4 * (100 * width + x)] === 255);
  expect(white.filter(Boolean).length).toBeGreaterThanOrEqual(1);
  expect(white.filter(Boolean).length).toBeLessThanOrEqual(2);
  expect(white.findIndex(Boolean)).toBeGreaterThan(120);
});

test("files find the receipts that name them, whatever they are called", async () => {
  const parent = await receiptOf({});
  const child = await receiptOf({
    ...{ image: await hashOf(image), strength: 0.5, parent: parent.id },
    adapters: [{ sha256: await hashOf(lora), scale: 1 }],
  });
  const file = ({ receipt }: typeof child) => new File([JSON.stringify(receipt)], "r.json");
  const transcript = new File([new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0]), "{}"], "t.safetensors");
  const files = [file(parent), transcript, image, lora, file(child)];
  const found = await receiptsOfFiles(files, { hashesOf, known: nothing, find: nothing });
  // The parent comes after what goes on from it; a LoRA is no transcript.
  expect(found.map(({ id }) => id)).toEqual([child.id, parent.id]);
  expect(found[0]).toMatchObject({ transcript });
  expect(new Set(Object.values(found[0].inputs ?? {}))).toEqual(new Set([image, lora]));
  // The image alone leads to what was made from it.
  const known = () => Promise.resolve([child]);
  const [again] = await receiptsOfFiles([image], { hashesOf, known, find: nothing });
  expect(again).toMatchObject({ id: child.id, inputs: { [await hashOf(image)]: image } });
});

test("a file that the receipt does not name is refused with its name", async () => {
  const child = await receiptOf({ image: await hashOf(image), strength: 0.5 });
  const found = await withGiven(child, [image, mask], hashesOf);
  expect(found.inputs).toEqual({ [await hashOf(image)]: image });
  await expect(withGiven(child, [mask], hashesOf)).rejects.toThrow(/halves.png: the receipt names/);
});

test("how far a check goes is said by what the network read and is not here", async () => {
  const transcript = new Blob();
  const [control, sha256] = [
    { image: await hashOf(image), network: "embedded" },
    await hashOf(lora),
  ];
  const drawn = await receiptOf({ control: [control] });
  const adapted = await receiptOf({ adapters: [{ sha256, scale: 1 }] });
  const foreign = await receiptOf({ control: [{ ...control, network: "ab".repeat(32) }] });
  const model = { ...drawn.receipt.model, id: "tau-tiny" };
  const reach = ({ receipt }: typeof drawn, more: object) =>
    reachOf({ receipt: { ...receipt, model }, ...more }, false);
  expect(reach(drawn, { transcript })).toMatchObject({ level: 1, why: /drop it/ });
  expect(reach(drawn, { transcript, inputs: { [control.image]: image } })).toEqual({ level: 3 });
  // Its miner gives it.
  expect(reach(drawn, { link: { miner: "http://a" } })).toEqual({ level: 3 });
  expect(reach(adapted, { link: { miner: "http://a" } })).toMatchObject({ level: 1, why: /LoRA/ });
  expect(reach(adapted, { transcript, inputs: { [sha256]: lora } })).toEqual({ level: 3 });
  expect(reach(foreign, { transcript })).toMatchObject({ level: 1, why: /ControlNet of its own/ });
  expect(reach(drawn, {})).toMatchObject({ level: 0 });
});

test("a control image that is not here ends a check of the network, and no other", async () => {
  const drawn = await receiptOf({
    ...{ image: await hashOf(image), strength: 0.5 },
    control: [{ image: "cd".repeat(32), network: "embedded" }],
  });
  const inputs = { [await hashOf(image)]: image };
  const order = (level: number, more = {}) =>
    ({ ...drawn, inputs, level, ...more }) as unknown as CheckOrder;
  const shown = vi.fn();
  await expect(inputsOfReceipt(order(2), shown)).rejects.toThrow(
    /cdcdcdcdcdcd\.\.\., which is not/,
  );
  // What is here is compared all the same, and shown.
  const there = { image: { width: 64 }, controls: [] };
  expect(await inputsOfReceipt(order(1), shown)).toMatchObject(there);
  expect(shown).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ controls: [] }));
  // A file under another's hash is not taken for it.
  const forged = order(1, { inputs: { [await hashOf(image)]: mask } });
  expect(await inputsOfReceipt(forged, shown)).toBeUndefined();
});

test("of a miner only what is not here is asked, once a level needs it", async () => {
  const drawn = await receiptOf({ image: await hashOf(image), strength: 0.5 });
  const asked = vi.fn((url: URL) => Promise.resolve(new Response(url.pathname ? image : null)));
  vi.stubGlobal("fetch", asked);
  const link = { miner: "http://a.example", id: drawn.id, token: "t" };
  const order = (more: object) => ({ ...drawn, link, level: 3, ...more }) as unknown as CheckOrder;
  const nobody = () => Promise.resolve();
  expect(await inputsOfReceipt(order({ level: 2 }), nobody)).toBeUndefined();
  const here = order({ inputs: { [await hashOf(image)]: image } });
  expect(await inputsOfReceipt(here, nobody)).toMatchObject({ image: { width: 64 } });
  const later = await inputsOfReceipt(order({}), nobody);
  expect(asked).not.toHaveBeenCalled();
  const found = typeof later === "function" ? await later() : undefined;
  expect(found).toMatchObject({ image: { width: 64 } });
  expect(String(asked.mock.calls[0][0])).toContain(`/inputs/${await hashOf(image)}`);
});

test("a parent that was enlarged is enlarged again from its own image, and from no other", async () => {
  const file = new Blob([SMALL_IMAGE], { type: "image/png" });
  const sha256 = await hashOf(file);
  const parent = await inventedReceipt(hotkey, SMALL_REQUEST, {
    image: { sha256, mediaType: "image/png", bytes: file.size },
  });
  const orderOf = async (upscaler: string | undefined, image: Blob | undefined) => {
    const child = await receiptOf({
      ...{ image: "cd".repeat(32), strength: 0.5, parent: receiptId(parent), upscaler },
    });
    return { ...child, parent: { receipt: parent, image } } as unknown as CheckOrder;
  };
  expect(await parentEvidence(await orderOf("lanczos", file))).toMatchObject({
    ...{ receipt: parent, enlarged: { upscaler: { id: "lanczos" } } },
  });
  // Without its image, of another one, or by a network that this page's server has not, it is not compared.
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 404 })));
  for (
    const [upscaler, given] of [["lanczos", undefined], ["lanczos", image], [
      "ab".repeat(32),
      file,
    ]] as const
  ) {
    expect(await parentEvidence(await orderOf(upscaler, given))).toEqual({ receipt: parent });
  }
  expect(await parentEvidence({ ...await orderOf("lanczos", file), parent: undefined }))
    .toBeUndefined();
});

test("what a receipt says of edges is shown as it is, and refused by its check alone", async () => {
  const pixels = { width: 8, height: 8, data: new Uint8ClampedArray(256) };
  const use = { image: "ab".repeat(32), network: "embedded", preprocess: ["bogus"], scale: "much" };
  const { receipt } = await receiptOf({ control: [use] });
  const { controls } = await picturesOf({ controls: [pixels] }, receipt);
  expect(controls).toEqual([{ scale: 1, image: pixels }]);
});

test("what goes on from a served image starts from the file that its receipt names", async () => {
  const served = withText(SMALL_IMAGE, "png", "a red tau symbol");
  const receipt = await inventedReceipt(hotkey, SMALL_REQUEST, {
    image: { sha256: fileHash(SMALL_IMAGE), mediaType: "image/png", bytes: SMALL_IMAGE.length },
  });
  for (const file of [served, SMALL_IMAGE]) {
    const picture = await signedPicture({ image: new Blob([file]), receipt });
    expect(await hashOf(picture)).toBe(receipt.image.sha256);
  }
});

test("a validator's jobs get the files with the request that names them", async () => {
  const asked = vi.fn((_: URL, __: RequestInit) => Promise.resolve(Response.json({ id: "job" })));
  vi.stubGlobal("fetch", asked);
  const order = {
    ...{ prompt: "a tau", negativePrompt: "", seed: "7", steps: 4, guidanceScale: 5, size: 64 },
    source: { image: mask, strength: 0.5, parent: "ef".repeat(32) },
  };
  await submitJob({ url: "http://v.example/", key: "k" }, order, 2, "once");
  const { body, headers } = asked.mock.calls[0][1];
  const type = new Headers(headers).get("content-type") ?? "";
  const { request, inputs } = await decodeJobCall(body as Uint8Array<ArrayBuffer>, type);
  // As many pixels as were asked for, about in the shape of the image: whole squares of 64.
  const shape = { width: 64, height: 64 };
  const sha256 = await hashOf(mask);
  expect(request).toMatchObject({ ...shape, image: sha256, strength: 0.5, batch: 2 });
  expect(request.parent).toBe(order.source.parent);
  expect([...inputs.keys()]).toEqual([sha256]);
});

test("an image is enlarged for a run that names what did it, and keeps its size there", async () => {
  // Without the page's network.
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 404 })));
  const small = await halves(64, 40);
  const larger = await enlarge({ image: small, factor: 2, by: "network" });
  expect(larger).toMatchObject({ width: 128, height: 80, upscaler: "lanczos" });
  const pixels = async (file: Blob) =>
    await decodeInputImage(new Uint8Array(await file.arrayBuffer()), "image");
  expect(await pixels(larger.image)).toEqual(
    resize(await pixels(small), { width: 128, height: 80 }),
  );
  const { image, upscaler } = larger;
  const source = { image, strength: 0.35, parent: "ef".repeat(32), upscaler };
  const { size, named } = await ownInputs({ size: 128, source });
  expect(size).toEqual({ width: 128, height: 80 });
  expect(named).toMatchObject({ image: await hashOf(image), parent: source.parent, upscaler });
  await expect(enlarge({ image: small, factor: 99, by: "lanczos" })).rejects.toThrow(/at most/);
});

test("a LoRA's file changes a model in safetensors; a file under another's hash does not", async () => {
  const files = await openModel(new URL("../golden/pipelines/pipe-sd1", import.meta.url).pathname);
  const sha256 = await hashOf(lora);
  const adapted = await withLoras(files, { [sha256]: lora });
  expect(adapted.adapters).toMatchObject([{ sha256, deltas: { unet: {} } }]);
  expect(await withLoras(files, {})).toBe(files);
  await expect(withLoras(files, { ["ab".repeat(32)]: lora })).rejects.toThrow(/choose it again/);
});
