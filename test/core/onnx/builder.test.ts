import { beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../../core/inference/mod.ts";
import { encodeOnnx, GraphBuilder } from "../../../core/onnx/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await cpuRuntime();
});

/** Files of a model without a path on disk. */
function memoryFiles(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>) {
  return {
    ...{ name: "test", location: "test", paths: Object.keys(files) },
    has: (path: string) => path in files,
    size: (path: string) => files[path].length,
    text: (path: string) => Promise.resolve(new TextDecoder().decode(files[path])),
    bytes: (path: string) => Promise.resolve(files[path]),
  };
}

test.each(
  [
    ["float32", 4, 3, Uint8Array.of(0, 0, 0, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0)],
    ["float16", 2, 1, Uint8Array.of(0, 0, 0x3e, 0, 0xc0)],
    ["bfloat16", 2, 3, Uint8Array.of(0, 0, 0, 0xc0, 0x3f, 0, 0xc0)],
  ] as const,
)("a %s weight is read where it lies, aligned or not", async (type, bytes, offset, data) => {
  const g = new GraphBuilder();
  const x = g.input({ name: "x", type: "float32", dims: ["n", 2] });
  const place = { location: "data.bin", offset, length: 2 * bytes };
  const b = g.cast(g.reference({ name: "b", type, dims: [2], ...place }), "float32");
  // Every kind of attribute: a whole number below 0, a list, a float and text.
  const sum = g.op("Concat", [g.op("Add", [x, b]), x], { attributes: { axis: -1 } });
  const turned = g.op("Transpose", [sum], { attributes: { perm: [1, 0] } });
  const leaky = g.op("LeakyRelu", [turned], { attributes: { alpha: { float: 0.5 } } });
  const active = g.op("Gelu", [leaky], { attributes: { approximate: "none" } });
  g.output({ name: "leaky", type: "float32", dims: [4, "n"] }, leaky);
  g.output({ name: "active", type: "float32", dims: [4, "n"] }, active);
  const session = await runtime.open(
    memoryFiles({ "g.onnx": encodeOnnx(g.finish()), "data.bin": data }),
    {
      graph: "g.onnx",
      external: [{ location: "data.bin", path: "data.bin", bytes: data.length }],
      largestTensor: 2 * bytes,
    },
  );
  const feeds = { x: { type: "float32", dims: [1, 2], data: Float32Array.of(1, -1) } } as const;
  const results = await session.run(feeds, ["leaky", "active"]);
  await session.release();
  // b is 1.5 and -2.
  expect([...results.leaky.data]).toEqual([2.5, -1.5, 1, -0.5]);
  expect(Number(results.active.data[2])).toBeCloseTo(0.8413447, 6);
});

test("GraphBuilder holds equal constants once", () => {
  const g = new GraphBuilder();
  const names = [[1, 2], [1, 2], [2, 1]].map((list) => g.constant("float32", list).name);
  g.constant("int64", [1, 2]);
  expect(names[0]).toBe(names[1]);
  expect(g.finish().weights.map(({ type, values }) => [type, values])).toEqual([
    ["float32", [1, 2]],
    ["float32", [2, 1]],
    ["int64", [1, 2]],
  ]);
});
