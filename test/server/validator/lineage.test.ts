import { expect, test } from "vitest";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { lineageOf } from "../../../server/validator/lineage.ts";

const [parent, image, other] = ["0a", "0b", "0c"].map((byte) => byte.repeat(32));

test("a parent that is known is the one whose image the request names, or is refused", () => {
  using ledger = new Ledger(":memory:");
  const ask = (request: object) =>
    lineageOf({ image, parent, upscaler: undefined, ...request }, ledger);
  expect(ask({ parent: undefined })).toEqual([]);
  expect(ask({})).toEqual([expect.stringMatching(/not compared: this validator does not have/)]);
  ledger.images.add({ sha256: image, looks: "0".repeat(64), entry: { id: parent } }, 10);
  ledger.images.add({ sha256: other, looks: "f".repeat(64), entry: { id: other } }, 10);
  expect(ask({})).toEqual([]);
  expect(ask({ upscaler: "lanczos" })).toEqual([
    expect.stringMatching(/not compared: the image between is one that lanczos made/),
  ]);
  expect(() => ask({ image: other })).toThrow(
    expect.objectContaining({ code: "invalid_request", field: "parent" }),
  );
});
