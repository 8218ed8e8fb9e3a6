import { beforeEach, expect, test, vi } from "vitest";
import {
  decodeInputImage,
  encodeImage,
  imageCodec,
  perceptualHash,
  resize,
  withText,
} from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { fileHash, type Receipt, receiptId } from "../../../core/transcript/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { imageVerifier } from "../../../server/validator/verify_image.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";

const hotkey = openHotkey("11".repeat(32));
const sheet = await decodeInputImage(Deno.readFileSync("models/tau-tiny/samples.png"), "image");
const image = resize(sheet, { width: 64, height: 64 });
const file = await encodeImage(image, "png");
const scored = (verdict: Score["verdict"]): Score => ({
  ...{ verdict, similarity: 1, velocityError: 0, worst: 0, reasons: [] },
});

let ledger: Ledger;
let receipt: Receipt;
beforeEach(async () => {
  ledger = new Ledger(":memory:");
  receipt = await inventedReceipt(hotkey, SMALL_REQUEST, {
    image: { sha256: fileHash(file), mediaType: "image/png", bytes: file.length },
  });
  const id = receiptId(receipt);
  const entry = { id, receipt, token: "t".repeat(43), miner: "http://127.0.0.1:1" };
  const looks = perceptualHash(image);
  ledger.images.add({ sha256: receipt.image.sha256, looks, entry }, 10);
});

test("an image that was served is found by its file, and its steps are checked", async () => {
  const scorer = vi.fn(() => Promise.resolve(scored("honest")));
  const verify = imageVerifier({ ledger, scorer, codec: imageCodec, now: Date.now });
  expect(await verify(withText(file, "png", "Steps: 4"))).toMatchObject({
    ...{ verdict: "honest", match: "file", receipt: receiptId(receipt) },
    ...{ prompt: SMALL_REQUEST.prompt, miner: hotkey.address, model: "invented" },
  });
  expect(scorer).toHaveBeenCalledWith({
    ...{ receipt, url: "http://127.0.0.1:1", token: "t".repeat(43) },
  });
});

test("a copy is found by its looks; what is no longer kept is not checked", async () => {
  const scorer = vi.fn(() => Promise.resolve(scored("honest")));
  const later = () => Date.now() + 3_600_000;
  const copy = await encodeImage(resize(image, { width: 100, height: 100 }), "jpeg", 60);
  expect(await imageVerifier({ ledger, scorer, codec: imageCodec, now: later })(copy))
    .toMatchObject({ verdict: "unchecked", match: "looks" });
  expect(scorer).not.toHaveBeenCalled();
});

test.each([["withheld", "unchecked"], ["suspect", "suspect"]] as const)(
  "a check that ends with %s: %s",
  async (verdict, said) => {
    const scorer = () => Promise.resolve(scored(verdict));
    expect(await imageVerifier({ ledger, scorer, codec: imageCodec, now: Date.now })(file))
      .toMatchObject({ verdict: said });
  },
);

test("an image of somebody else's is unknown", async () => {
  const turned = { ...image, data: image.data.slice().reverse() };
  const scorer = () => Promise.resolve(scored("honest"));
  expect(
    await imageVerifier({ ledger, scorer, codec: imageCodec, now: Date.now })(
      await encodeImage(turned, "png"),
    ),
  ).toMatchObject({ verdict: "unknown" });
});
