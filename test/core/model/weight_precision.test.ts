import { expect, test } from "vitest";
import { networkPrecision } from "../../../core/model/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { writeTinySd } from "../../fixtures/tiny_sd.ts";

const GRAPH = { graph: "unet/model.onnx", external: [], largestTensor: 0 };

test.each(["float32", "float16"] as const)(
  "networkPrecision sees weights of %s",
  async (precision) => {
    const folder = await temporaryFolder();
    await writeTinySd(folder, { precision });
    const files = await openModel(folder);
    expect(await networkPrecision(files, GRAPH)).toBe(precision);
  },
);

test("networkPrecision refuses what is no graph, naming it", async () => {
  const folder = await temporaryFolder();
  await writeTinySd(folder);
  const files = await openModel(folder);
  Deno.writeFileSync(
    `${folder}/unet/model.onnx`,
    new Uint8Array(files.size("unet/model.onnx")).fill(255),
  );
  expect(await rejection(networkPrecision(files, GRAPH))).toMatchObject({
    code: "model_invalid",
    message: expect.stringContaining("unet/model.onnx"),
  });
});
