import { describe, expect, test } from "vitest";
import { encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { fileHash, receiptId } from "../../../core/transcript/mod.ts";
import { lanczos } from "../../../core/upscale/mod.ts";
import { checkParent, passesParent } from "../../../core/verifier/check_parent.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";

const miner = openHotkey("07".repeat(32));

/** Stripes, so that a shift shows. */
function stripes(step: number): RgbaImage {
  const data = new Uint8ClampedArray(4 * 64 * 64);
  for (let i = 0; i < 64 * 64; i++) {
    const level = Math.floor((i % 64) / step) % 2 * 200;
    data.set([level, 255 - level, i / 64, 255], 4 * i);
  }
  return { width: 64, height: 64, data };
}

const own = stripes(8);
const file = await encodeImage(own, "png");
const parent = await inventedReceipt(miner, SMALL_REQUEST, {
  image: { sha256: fileHash(file), mediaType: "image/png", bytes: file.length },
});

async function child(named: Readonly<Record<string, string>>) {
  const request = { ...SMALL_REQUEST, strength: 0.5, parent: receiptId(parent), ...named };
  return { receipt: await inventedReceipt(miner, request) };
}

describe("a variation", () => {
  test("starts from its parent's own file, and says what that goes on from", async () => {
    const receipt = await child({ image: fileHash(file) });
    expect(await checkParent(receipt, { receipt: parent })()).toEqual({
      receipt: receiptId(parent),
    });
    const next = await inventedReceipt(miner, receipt.receipt.request, { image: parent.image });
    const named = { image: fileHash(file), parent: receiptId(next) };
    const request = { ...SMALL_REQUEST, strength: 0.5, ...named };
    const grandchild = { receipt: await inventedReceipt(miner, request) };
    expect(await checkParent(grandchild, { receipt: next })()).toEqual({
      ...{ receipt: receiptId(next), parent: receiptId(parent) },
    });
  });

  test("of another file is refused as the miner's own contradiction", async () => {
    const receipt = await child({ image: "ab".repeat(32) });
    expect(() => checkParent(receipt, { receipt: parent })).toThrow(
      /the image that it starts from is not that of its parent/,
    );
  });
});

describe("an enlarged parent", () => {
  const size = { width: 128, height: 128 };
  const enlarged = { file, upscaler: lanczos };
  const evidence = { receipt: parent, enlarged };
  const named = { image: "ab".repeat(32), upscaler: "lanczos" };

  test("is what the upscaler makes of the parent's image, to the last bit", async () => {
    const compare = checkParent(await child(named), evidence);
    const found = await compare(resize(own, size));
    expect(found?.image?.psnr).toBe(Infinity);
    expect(found && passesParent(found)).toBe(true);
    expect(await compare()).toBeUndefined();
  });

  test.each([
    ["another image's", resize(stripes(7), size)],
    ["its own, a pixel to the side", shifted(resize(own, size))],
    ["a retouched tile of", retouched(resize(own, size))],
  ])("%s enlargement does not pass", async (_, source) => {
    const found = await checkParent(await child(named), evidence)(source);
    expect(found && passesParent(found)).toBe(false);
  });

  test("needs files of this parent and the upscaler that the request names", async () => {
    const receipt = await child(named);
    const wrong = (given: Partial<typeof enlarged>) => () =>
      checkParent(receipt, { receipt: parent, enlarged: { ...enlarged, ...given } });
    expect(wrong({ file: new Uint8Array(3) })).toThrow(/not its parent's/);
    expect(wrong({ upscaler: { ...lanczos, id: "cd".repeat(32) } })).toThrow(/which is lanczos/);
    expect(await checkParent(receipt, { receipt: parent })()).toBeUndefined();
  });
});

/** By 30 of 255 in one tile of 16x16. */
function retouched(image: RgbaImage): RgbaImage {
  const data = image.data.slice();
  for (let y = 0; y < 16; y++) for (let x = 0; x < 16; x++) data[4 * (y * image.width + x)] += 30;
  return { ...image, data };
}

/** By one pixel, the last of a row becoming the first of the next. */
function shifted(image: RgbaImage): RgbaImage {
  const data = image.data.slice();
  data.copyWithin(4, 0);
  return { ...image, data };
}
