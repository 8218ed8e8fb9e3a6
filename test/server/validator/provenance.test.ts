import { beforeEach, describe, expect, test } from "vitest";
import {
  decodeInputImage,
  encodeImage,
  imageCodec,
  type ImageFormat,
  perceptualHash,
  resize,
  textIn,
  withoutMetadata,
} from "../../../core/image/mod.ts";
import { readInfotext } from "../../../core/infotext/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { fileHash, type Receipt, receiptId } from "../../../core/transcript/mod.ts";
import { checkImage, committedFile } from "../../../core/verifier/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { receiptsOf, saysWhereFrom } from "../../../server/validator/provenance.ts";
import { withWatermark } from "../../../server/validator/watermark.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const hotkey = openHotkey("11".repeat(32));
const sheet = await decodeInputImage(Deno.readFileSync("models/tau-tiny/samples.png"), "image");
const image = resize(sheet, { width: 64, height: 64 });
const request = decodeRequest(SMALL_REQUEST, {
  ...{ width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 7n },
});

let ledger: Ledger;
let receipt: Receipt;
beforeEach(() => {
  ledger = new Ledger(":memory:");
});

/** The image as a user gets it. */
async function served(format: ImageFormat, url?: string, named: Record<string, unknown> = {}) {
  const file = await encodeImage(image, format);
  receipt = await inventedReceipt(hotkey, { ...SMALL_REQUEST, ...named }, {
    image: { sha256: fileHash(file), mediaType: `image/${format}`, bytes: file.length },
  });
  const forwarded = {
    peer: { uid: 1, hotkey: hotkey.address, url: "http://127.0.0.1:1" },
    answer: { id: receiptId(receipt), receipt, token: "t".repeat(43) },
    ...{ image: file, verdict: undefined },
  };
  const forwarder = { generate: () => Promise.resolve(forwarded) };
  const marked = saysWhereFrom(forwarder, { ledger, codec: imageCodec, url });
  const { image: got, shown } = await marked.generate(request, format);
  // An image that is not for its user is not to be found.
  expect(receiptsOf(ledger, { image: receipt.image.sha256 })).toEqual([]);
  shown?.();
  return { file, got };
}

describe.each(["png", "jpeg", "webp"] as const)("%s", (format) => {
  test("says how it was made and by which receipt; the rest is the committed file", async () => {
    const { file, got } = await served(format, "https://gate.example/");
    const { prompt, parameters } = readInfotext(textIn(got, format) ?? "");
    expect(prompt).toBe("a red tau symbol");
    expect(parameters).toMatchObject({
      ...{ Steps: "4", Seed: "7", "Size-1": "64", Model: "invented" },
      "Stepwise receipt": receiptId(receipt),
      "Stepwise address": `https://gate.example/v1/receipts?image=${receipt.image.sha256}`,
    });
    expect(committedFile(receipt, got)).toEqual(file);
    expect(checkImage({ receipt }, committedFile(receipt, got)).bytes).toEqual(file);
  });

  test("its receipt is found by its file, and by a copy's looks", async () => {
    const { got } = await served(format);
    const sha256 = fileHash(withoutMetadata(got, format));
    const entry = { id: receiptId(receipt), token: "t".repeat(43), miner: "http://127.0.0.1:1" };
    expect(receiptsOf(ledger, { image: sha256 })).toMatchObject([entry]);
    const copy = await encodeImage(resize(image, { width: 200, height: 200 }), "jpeg", 60);
    const looks = perceptualHash(await decodeInputImage(copy, "image"));
    expect(receiptsOf(ledger, { looks })).toMatchObject([entry]);
    const turned = { ...image, data: image.data.slice().reverse() };
    expect(receiptsOf(ledger, { looks: perceptualHash(turned) })).toEqual([]);
    expect(receiptsOf(ledger, { image: "00".repeat(32) })).toEqual([]);
  });
});

test("who finds an image that started from a file does not get the token that opens the file", async () => {
  await served("png", undefined, { image: "0f".repeat(32), strength: 0.5 });
  const [found] = receiptsOf(ledger, { image: receipt.image.sha256 });
  expect(found).toMatchObject({ id: receiptId(receipt) });
  expect(found).not.toHaveProperty("token");
});

test("a file that carries nothing, or is another, stays what it is", async () => {
  const { file } = await served("png");
  expect(committedFile(receipt, file)).toBe(file);
  const other = await encodeImage(withWatermark(image), "png");
  expect(committedFile(receipt, other)).toBe(other);
});

test("a hash that is none is refused by its name", () => {
  expect(thrownBy(() => receiptsOf(ledger, { image: "x" }))).toMatchObject({
    code: "invalid_request",
    message:
      'Cannot find receipts: image is "x", not the SHA-256 of a file without its metadata, ' +
      "64 hex digits",
  });
  expect(thrownBy(() => receiptsOf(ledger, { looks: "f" }))).toMatchObject({ field: "looks" });
});

test("only so many are known, the last, also after a restart", () => {
  const looks = (k: number) => String(k).repeat(64);
  for (let k = 0; k < 5; k++) {
    ledger.images.add({ sha256: looks(k), looks: looks(k), entry: { k } }, 3);
  }
  expect([0, 1, 2, 3, 4].flatMap((k) => ledger.images.ofFile(looks(k)))).toHaveLength(3);
  expect(ledger.images.alike(looks(4))).toEqual([{ k: 4, distance: 0 }]);
});
