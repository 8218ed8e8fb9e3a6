import { expect, onTestFinished, test } from "vitest";
import { CallPictures, pictureWork } from "../../../server/gateway/files/mod.ts";
import { SMALL_IMAGE } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

test("a thread answers and refuses as the work itself does, and goes on", async () => {
  const pictures = new CallPictures();
  onTestFinished(() => pictures[Symbol.asyncDispose]());
  const order = { file: SMALL_IMAGE, size: { width: 16, height: 16 } };
  const [bad, good] = await Promise.all([
    rejection(pictures.ask("a", "size", { file: SMALL_IMAGE.slice(9), what: "mask" })),
    pictures.ask("b", "enlarged", order),
  ]);
  expect(bad).toMatchObject({ code: "invalid_request", field: "mask" });
  expect(good).toEqual(await pictureWork.enlarged(order));
  const huge = pictures.ask("a", "enlarged", { file: SMALL_IMAGE, size: 1000 });
  expect(await rejection(huge)).toMatchObject({ code: "invalid_request", field: "image" });
});
