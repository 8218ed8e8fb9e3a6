import { expect, onTestFinished, test } from "vitest";
import { imagesOfBatch, MAX_IMAGES, takeOrder } from "../../../server/gateway/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { addKey, testGateway } from "../../fixtures/gateway.ts";
import { SMALL_IMAGE } from "../../fixtures/receipt.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

test("another interface takes an order, waits for its end, and has the images", async () => {
  const gateway = await testGateway(await temporaryFolder());
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const { parts } = gateway;
  addKey(gateway, "a-key-of-an-application");
  const owner = parts.keys.admit("Bearer a-key-of-an-application");
  const defaults = { ...parts.model.defaults, seed: 7n };
  const request = decodeRequest({ prompt: "a tau", batch: MAX_IMAGES }, defaults);
  const requests = imagesOfBatch(request);
  const job = await takeOrder(parts, { owner, requests, format: "png" });
  const ended = await parts.jobs.wait(owner.id, job.id);
  expect(ended.images.map(({ request: { seed, batch } }) => [seed, batch]))
    .toEqual(Array.from({ length: MAX_IMAGES }, (_, k) => [7n + BigInt(k), 1]));
  expect(await parts.jobs.image(ended, 0)).toEqual(SMALL_IMAGE);
});
