import { join } from "node:path";
import { expect, test } from "vitest";
import type { Receipt } from "../../../core/transcript/mod.ts";
import { sourcesOfReceipt } from "../../../server/verify/given_sources.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { fileOf, gradient, leftHalf } from "../../fixtures/pictures.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const SIDE = 64;
const [photo, mask] = [await fileOf(gradient(SIDE, 40)), await fileOf(leftHalf(SIDE))];
const files = new Map([photo, mask].map((file) => [bytesHash(file), file]));
const [image, other] = files.keys();

type Named = Pick<Receipt, "request">;

/** A receipt that names these. */
function receiptOf(fields: Partial<Receipt["request"]>): Named {
  return { request: { width: SIDE, height: SIDE, steps: 4, seed: "1", batch: 1, ...fields } };
}

/** A miner that notes what it is asked for. */
function miner() {
  const asked: string[] = [];
  const fetch = (sha256: string) => {
    asked.push(sha256);
    const file = files.get(sha256);
    return file ? Promise.resolve(file) : Promise.reject(new Error("it has none"));
  };
  return { asked, fetch };
}

test("what is not given comes from the miner, once, and not before it is needed", async () => {
  const control = [{ image, network: "embedded" }, { image, network: "embedded" }];
  const receipt = receiptOf({ image, mask: other, control });
  const { asked, fetch } = miner();
  const sources = await sourcesOfReceipt(receipt, {}, 3, fetch);
  expect(asked).toEqual([]);
  if (typeof sources !== "function") throw new Error("the files are not the miner's");
  expect(await sources()).toEqual({
    ...{ image: gradient(SIDE, 40), mask: leftHalf(SIDE) },
    controls: [gradient(SIDE, 40), gradient(SIDE, 40)],
  });
  expect(asked).toEqual([image, other]);
});

test("a level asks for what it needs: none for arithmetic, control images for the network", async () => {
  const receipt = receiptOf({ image, control: [{ image: other, network: "embedded" }] });
  const { asked, fetch } = miner();
  expect(await sourcesOfReceipt(receipt, {}, 1, fetch)).toBeUndefined();
  const network = await sourcesOfReceipt(receipt, {}, 2, fetch);
  if (typeof network !== "function") throw new Error("the files are not the miner's");
  expect(await network()).toEqual({ controls: [leftHalf(SIDE)] });
  expect(asked).toEqual([other]);
});

test("files that are given are not asked for, and without a miner they are asked of the user", async () => {
  const path = join(await temporaryFolder(), "photo.png");
  await Deno.writeFile(path, photo);
  const { asked, fetch } = miner();
  const receipt = receiptOf({ image, mask: other });
  const sources = await sourcesOfReceipt(receipt, { source: path }, 3, fetch);
  if (typeof sources !== "function") throw new Error("the mask is not the miner's");
  expect(await sources()).toMatchObject({ image: gradient(SIDE, 40), mask: leftHalf(SIDE) });
  expect(asked).toEqual([other]);
  await expect(sourcesOfReceipt(receipt, { source: path }, 3)).rejects.toThrow(
    `the request names the mask ${other}: give its file with --source-mask`,
  );
  expect(await sourcesOfReceipt(receipt, {}, 3)).toBeUndefined();
});
