import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RgbaImage } from "../../../core/image/mod.ts";
import type { Runtime } from "../../../core/inference/mod.ts";
import { encodeOnnx, GraphBuilder } from "../../../core/onnx/mod.ts";
import { readSafetensorsIndex } from "../../../core/safetensors/mod.ts";
import { openUpscaleNetwork } from "../../../core/upscale/mod.ts";
import { upscalerPart } from "../../../core/upscale/state_dict.ts";
import { OVERLAP, placeTile, planesOf, TILE, tilesOf } from "../../../core/upscale/tiles.ts";
import { cpuRuntime, openUpscaler } from "../../../server/compute/mod.ts";
import { openPartFolder } from "../../../server/parts/part_folder.ts";
import { bytesFiles } from "../../fixtures/memory_files.ts";
import { rejection } from "../../fixtures/rejection.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden/architectures");

function noise(width: number, height: number): RgbaImage {
  let state = 7;
  const next = () => (state = Math.imul(state, 48271) >>> 0) % 256;
  const data = Uint8ClampedArray.from(
    { length: 4 * width * height },
    (_, i) => i % 4 === 3 ? 255 : next(),
  );
  return { width, height, data };
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await cpuRuntime();
});
afterAll(() => runtime.gpu?.[Symbol.dispose]());

describe("tiles", () => {
  test.each([[1, 1], [TILE, TILE], [TILE + 1, 5], [3 * TILE - 7, 2 * TILE + 50]])(
    "of %dx%d pixels cover each once, and see no more than the overlap beside it",
    (width, height) => {
      const image = noise(width, height);
      const again = { ...image, data: new Uint8ClampedArray(image.data.length) };
      for (const tile of tilesOf(image)) {
        expect(tile.seen.width).toBeLessThanOrEqual(TILE + 2 * OVERLAP);
        placeTile(again, tile, planesOf(image, tile.seen), 1);
      }
      expect(again).toEqual(image);
    },
  );
});

describe("the embedded network", () => {
  test("gives the same by tiles as of a part by itself, to a level", async () => {
    const upscaler = await openUpscaler("esrgan-slim-x2");
    const image = noise(TILE + 40, 24);
    const whole = await upscaler.enlarge(image, { width: 2 * image.width, height: 48 });
    // The last 100 columns lie in both tiles' sight; their own left edge reaches 10 pixels far.
    const columns = 100;
    const left = image.width - columns;
    const part = { width: columns, height: 24, data: cut(image, left, columns) };
    const alone = await upscaler.enlarge(part, { width: 2 * columns, height: 48 });
    const seen = cut(whole, 2 * left, 2 * columns);
    const off = seen.map((level, i) =>
      Math.floor(i / 4) % (2 * columns) < 2 * 12 ? 0 : Math.abs(level - alone.data[i])
    );
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  });

  test("has a hash by which a request names it, and no other is at hand", async () => {
    const { id } = await openUpscaler("esrgan-slim-x2");
    expect((await openUpscaler(id)).id).toBe(id);
    expect((await rejection(openUpscaler("ab".repeat(32)))).message).toMatch(
      /the upscaler (ab){32} is not the embedded one: give its file with --upscaler/,
    );
  });
});

function cut({ width, height, data }: RgbaImage, left: number, columns: number) {
  const rows = Array.from({ length: height }, (_, y) => {
    const start = 4 * (y * width + left);
    return [...data.subarray(start, start + 4 * columns)];
  });
  return new Uint8ClampedArray(rows.flat());
}

describe("a network's file", () => {
  test.each(["rrdbnet-x4", "rrdbnet-x2", "srvggnet-compact-x4", "residual-dense-network-x3"])(
    "of %s says by its tensors what its configuration would",
    async (name) => {
      const files = await openPartFolder(join(GOLDEN, name));
      const { tensors } = await readSafetensorsIndex(files, "model.safetensors");
      expect(upscalerPart(tensors, name).config).toEqual(
        JSON.parse(await files.text("config.json")),
      );
    },
  );

  test("in the names of ESRGAN's first code is the same network", async () => {
    const files = await openPartFolder(join(GOLDEN, "rrdbnet-x4"));
    const { tensors } = await readSafetensorsIndex(files, "model.safetensors");
    const layers: Readonly<Record<string, string>> = {
      ...{ conv_first: "model.0", conv_body: "model.1.sub.2", conv_up1: "model.3" },
      ...{ conv_up2: "model.6", conv_hr: "model.8", conv_last: "model.10" },
    };
    const old = [...tensors].map(([name, tensor]) => {
      const inner = name.replace(
        /^body\.(\d)\.rdb(\d)\.conv(\d)/,
        "model.1.sub.$1.RDB$2.conv$3.0",
      );
      return [inner.replace(/^conv_\w+/, (layer) => layers[layer]), tensor] as const;
    });
    const part = upscalerPart(new Map(old), "old.safetensors");
    expect(part.config).toMatchObject({ num_block: 2, scale: 4 });
    expect([...part.tensors.keys()].toSorted()).toEqual([...tensors.keys()].toSorted());
    const trained = new Map(
      [...tensors].flatMap(([name, tensor]) =>
        ["params.", "params_ema."].map((prefix) => [prefix + name, tensor] as const)
      ),
    );
    expect(upscalerPart(trained, "x").tensors.size).toBe(tensors.size);
  });

  const opened = async (path: string, bytes: Uint8Array<ArrayBuffer>) =>
    await openUpscaleNetwork(runtime, {
      ...{ files: bytesFiles({ [path]: bytes }), path, sha256: "00", name: path },
    });

  test("in ONNX is taken as it is, if it has one image in and a larger one out", async () => {
    await using upscaler = await opened("twice.onnx", onnx(["n", 3, "h", "w"], 2));
    const image = noise(6, 4);
    const { data } = await upscaler.enlarge(image, { width: 12, height: 8 });
    // Nearest pixels: each is there four times.
    expect([...data.subarray(4 * 13, 4 * 14)]).toEqual([...image.data.subarray(0, 4)]);
  });

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["x.pth", new TextEncoder().encode("PK\x03\x04 archive"), /a pickle can run code/],
    ["x.bin", new TextEncoder().encode("anything"), /neither \.safetensors nor \.onnx/],
    ["x.onnx", onnx(["n", 3, 64, 64], 2), /not one image \[n, 3, height, width\] of any size/],
    ["x.onnx", onnx(["n", 4, "h", "w"], 2), /not one image/],
    ["x.onnx", onnx(["n", 3, "h", "w"], 1), /it makes \[1, 3, 16, 16\] of 16x16 pixels/],
  ])("%s is refused by name", async (path, bytes, why) => {
    expect((await rejection(opened(path, bytes))).message).toMatch(why);
  });
});

/** Nearest pixels as a graph. */
function onnx(dims: readonly (number | string)[], scale: number): Uint8Array<ArrayBuffer> {
  const g = new GraphBuilder();
  const x = g.input({ name: "pixels", type: "float32", dims });
  const scales = g.constant("float32", [1, 1, scale, scale]);
  const large = g.op("Resize", [x, undefined, scales], {
    attributes: {
      ...{ mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
    },
  });
  g.output({ name: "large", type: "float32", dims: ["n", dims[1], "H", "W"] }, large);
  return encodeOnnx(g.finish());
}
