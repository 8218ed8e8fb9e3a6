import { expect, test } from "vitest";
import { graphWeights } from "../../../core/model/external_data.ts";
import type { ByteRange, ModelFiles } from "../../../core/model/model_files.ts";
import { decodeModelIndex } from "../../../core/model/model_index.ts";
import { chooseFiles, readLayout } from "../../../core/model/model_layout.ts";
import { neededFiles, noise, onnx, text, tinyFolder } from "../../fixtures/tiny_folder.ts";

/** A model in memory that counts the bytes read of it. */
function inMemory(files: Map<string, Uint8Array>): ModelFiles & { read: number } {
  const of = (path: string) => files.get(path) ?? new Uint8Array();
  return {
    read: 0,
    name: "tiny",
    location: "memory",
    paths: [...files.keys()].sort(),
    has: (path) => files.has(path),
    size: (path) => of(path).length,
    text: (path) => Promise.resolve(new TextDecoder().decode(of(path))),
    bytes(path: string, range?: ByteRange) {
      const bytes = of(path).slice(range?.start, range?.end);
      this.read += bytes.length;
      return Promise.resolve(new Uint8Array(bytes));
    },
  };
}

test("readLayout finds what drawing needs and takes vae for its two graphs", async () => {
  const layout = await readLayout(inMemory(tinyFolder()));
  expect(layout.paths).toEqual(neededFiles());
  expect(Object.keys(layout.networks)).toEqual(["text_encoder", "unet", "vae_decoder"]);
  expect(layout.networks.unet).toEqual({
    graph: "unet/model.onnx",
    config: "unet/config.json",
    external: [],
    largestTensor: 300_000,
  });
});

test("readLayout takes the encoder when asked to", async () => {
  const layout = await readLayout(inMemory(tinyFolder()), { include: ["vae_encoder"] });
  expect(layout.networks.vae_encoder).toMatchObject({ graph: "vae_encoder/model.onnx" });
});

test("chooseFiles takes one set of weights, with its own external data", () => {
  const index = decodeModelIndex({ _class_name: "X", unet: ["a", "b"] }, "tiny");
  const paths = ["model.onnx", "model.onnx_data", "model.fp16.onnx", "model.fp16.onnx_data"]
    .map((name) => `unet/${name}`);
  const choose = (variant?: string) =>
    chooseFiles(index, (path) => paths.includes(path), { variant }, "tiny").slice(1);
  expect(choose()).toEqual(paths.slice(0, 2));
  expect(choose("fp16")).toEqual(paths.slice(2));
});

test("decodeModelIndex refuses what is no index", () => {
  expect(() => decodeModelIndex([], "tiny")).toThrow(/model_index\.json of tiny.*_class_name/);
});

test("graphWeights reads headers, finds the largest tensor and skips over the weights", async () => {
  const files = inMemory(new Map([["unet/model.onnx", onnx({ weights: noise(5_000_000, 1) })]]));
  expect(await graphWeights(files, "unet/model.onnx"))
    .toEqual({ external: [], largestTensor: 5_000_000 });
  expect(files.read).toBeLessThan(50_000);
});

test("graphWeights says which file and how much of it", async () => {
  const graph = onnx({ location: "w.bin", offset: 4096, length: 1000 });
  expect(await graphWeights(inMemory(new Map([["unet/model.onnx", graph]])), "unet/model.onnx"))
    .toEqual({
      external: [{ location: "w.bin", path: "unet/w.bin", bytes: 5096 }],
      largestTensor: 1000,
    });
});

test.each([
  ["nothing", new Uint8Array()],
  ["a page", text("<html>not found</html>")],
  [
    "a pointer to LFS",
    text("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 9\n"),
  ],
  ["zeros", new Uint8Array(1000)],
])("graphWeights refuses %s in place of a graph", async (_, bytes) => {
  await expect(graphWeights(inMemory(new Map([["unet/model.onnx", bytes]])), "unet/model.onnx"))
    .rejects.toMatchObject({
      code: "model_invalid",
      message: expect.stringContaining("unet/model.onnx is not a whole ONNX file"),
    });
});

test("graphWeights refuses a graph cut at any byte", async () => {
  const whole = onnx({ location: "w.bin", offset: 0, length: 10 });
  for (let length = 0; length < whole.length; length++) {
    const files = inMemory(new Map([["m.onnx", whole.slice(0, length)]]));
    await expect(graphWeights(files, "m.onnx"), `${length} bytes`).rejects.toThrow("not a whole");
  }
});
