import { expect, test } from "vitest";
import { type Alteration, alterWeights } from "../../../core/adversary/mod.ts";
import { readLayout } from "../../../core/model/mod.ts";
import { openModel } from "../../../server/models/mod.ts";

const GRAPH = "unet/model.onnx";

/** Share of a file's bytes that an alteration leaves as they are. */
async function kept(alteration: Alteration): Promise<number> {
  const files = await openModel("embedded");
  const { networks } = await readLayout(files);
  const altered = await alterWeights(files, networks.unet, alteration);
  const [before, after] = [await files.bytes(GRAPH), await altered.bytes(GRAPH)];
  return after.filter((byte, i) => byte === before[i]).length / before.length;
}

test("int8 in the middle block changes the weights of its nodes alone", async () => {
  // One of the network's twelve blocks or so: more than nothing, and far from all.
  expect(await kept("int8 middle")).toBeLessThan(0.98);
  expect(await kept("int8 middle")).toBeGreaterThan(0.7);
});

test.each(["int8", "int4", "float16", "tf32", "other"] as const)(
  "%s changes weights, not the graph",
  async (alteration) => {
    const files = await openModel("embedded");
    const { networks } = await readLayout(files);
    const altered = await alterWeights(files, networks.unet, alteration);
    const [before, after] = [await files.bytes(GRAPH), await altered.bytes(GRAPH)];
    expect(after.length).toBe(before.length);
    const same = after.filter((byte, i) => byte === before[i]).length / before.length;
    expect(same).toBeGreaterThan(0.05);
    expect(same).toBeLessThan(0.9);
    expect(await altered.bytes(GRAPH, { start: 0, end: 100 })).toEqual(after.slice(0, 100));
    // Opened by its bytes: a path would lead to the old weights.
    expect(altered.localPath).toBeUndefined();
    expect(await altered.text("model_index.json")).toBe(await files.text("model_index.json"));
  },
);
