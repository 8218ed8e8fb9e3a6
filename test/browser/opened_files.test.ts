import { expect, test, vi } from "vitest";
import { receiptsOfFiles } from "../../browser/app/state/opened_files.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { receiptId } from "../../core/transcript/mod.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../fixtures/receipt.ts";

const receipt = await inventedReceipt(openHotkey("11".repeat(32)), SMALL_REQUEST);
const stored = { id: receiptId(receipt), receipt, at: 0 };
const image = new File([SMALL_IMAGE], "found on the web.png");

test("an image names its receipt by its picture's hash, whatever is written beside it", async () => {
  const find = vi.fn();
  const hashesOf = () => Promise.resolve(["ff".repeat(32), receipt.image.sha256]);
  const known = () => Promise.resolve([stored]);
  expect(await receiptsOfFiles([image], { hashesOf, known, find })).toEqual([{ ...stored, image }]);
  expect(find).not.toHaveBeenCalled();
});

test("of an image that is not known here this page's server is asked, and its likeliest taken", async () => {
  const lookup = {
    hashesOf: () => Promise.resolve(["ff".repeat(32)]),
    known: () => Promise.resolve([]),
    find: () => Promise.resolve([stored, { ...stored, id: "another" }]),
  };
  expect(await receiptsOfFiles([image], lookup)).toEqual([{ ...stored, image: undefined }]);
  const find = () => Promise.resolve([]);
  await expect(receiptsOfFiles([image], { ...lookup, find })).rejects.toThrow("Cannot find");
});
