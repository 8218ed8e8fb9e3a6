import { toRgbaFloat16, toRgbaFloat32 } from "../../../shaders/mod.ts";
import { toRgba } from "../../image/mod.ts";
import { toHalf } from "../../half.ts";
import { packStructs } from "../../gpu/mod.ts";
import type { BenchCase } from "./case.ts";
import { type Contender, cpuContender } from "./contender.ts";
import { noise } from "./data.ts";
import { type BenchSize, itemsOf } from "../report/mod.ts";
import { kernelVariants } from "./variants.ts";
import type { Workspace } from "./workbench.ts";

/** Three planes are read, a word a pixel is written. */
const bytesOf = (pixels: number, width: 2 | 4) => pixels * (3 * width + 4);

export const rgbaCase: BenchCase = {
  name: "to_rgba",
  about: "The decoder's planes in [-1, 1] as RGBA8.",
  unit: "pixel",
  // A level of 255 more or less.
  tolerance: 5e-3,
  async prepare(space, size) {
    const planes = noise(0, 3 * itemsOf("pixel", size) * size.batch);
    return [...await kernels(space, size, planes), reference(size, planes)];
  },
};

async function kernels(
  space: Workspace,
  size: BenchSize,
  planes: Float32Array<ArrayBuffer>,
): Promise<Contender[]> {
  const pixels = itemsOf("pixel", size);
  const all = pixels * size.batch;
  const parameters = packStructs(toRgbaFloat32.parameters, [{ pixels }]);
  const uniform = space.uniform(parameters, "pixels");
  const rgba = space.buffer(4 * all, "rgba");
  const strange = space.buffer(4 * size.batch, "strange");
  const shared = {
    extent: { items: pixels, images: size.batch },
    output: {
      buffer: rgba,
      offset: 0,
      bytes: 4 * all,
      decode: (bytes: ArrayBuffer) => partsOf(new Uint8Array(bytes)),
    },
  };
  const half = toHalf(planes);
  const resources = (
    values: ArrayBufferView<ArrayBuffer>,
    label: string,
  ) => [uniform, space.buffer(values.byteLength, label, values), rgba, strange];
  return [
    ...await kernelVariants(space, {
      ...shared,
      kernel: toRgbaFloat32,
      resources: resources(planes, "planes"),
      bytes: bytesOf(all, 4),
    }),
    ...await kernelVariants(space, {
      ...shared,
      kernel: toRgbaFloat16,
      resources: resources(half, "planes, f16"),
      bytes: bytesOf(all, 2),
      primary: false,
    }),
  ];
}

function reference(size: BenchSize, planes: Float32Array): Contender {
  const pixels = itemsOf("pixel", size);
  return cpuContender("toRgba", bytesOf(pixels * size.batch, 4), () => {
    const all = new Uint8Array(4 * pixels * size.batch);
    for (let k = 0; k < size.batch; k++) {
      const image = planes.subarray(3 * k * pixels, 3 * (k + 1) * pixels);
      all.set(toRgba(image, size.side, size.side).data, 4 * k * pixels);
    }
    return partsOf(all);
  });
}

function partsOf(levels: Uint8Array): Float32Array {
  return Float32Array.from(levels, (level) => level / 255);
}
