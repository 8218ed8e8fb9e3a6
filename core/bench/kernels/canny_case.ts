import { cannyGradient, cannySuppress, cannyTrace, type Kernel } from "../../../shaders/mod.ts";
import { cannyReference } from "../../control/mod.ts";
import {
  bindKernel,
  compileKernel,
  type Dispatch,
  encodeDispatches,
  packStructs,
} from "../../gpu/mod.ts";

import type { BenchCase } from "./case.ts";
import { cpuContender, dispatchContender } from "./contender.ts";
import { picture } from "./data.ts";
import { kernelVariants } from "./variants.ts";
import type { Workspace } from "./workbench.ts";

const LOW = 100;
const HIGH = 200;
/** Sweeps of the hysteresis between two checks for changes. */
const TRACES = 8;

interface Stage {
  readonly kernel: Kernel;
  readonly about: string;
  /** Read and written at least, bytes a pixel. */
  readonly bytes: number;
}

const STAGES: readonly Stage[] = [
  { kernel: cannyGradient, about: "Canny's Sobel gradient.", bytes: 8 },
  { kernel: cannySuppress, about: "Canny's non-maximum suppression and thresholds.", bytes: 8 },
  {
    kernel: cannyTrace,
    about: "A sweep of Canny's hysteresis that finds nothing new, as the last of each image.",
    bytes: 4,
  },
];

/** Each of Canny's kernels alone. */
export const cannyStageCases: readonly BenchCase[] = STAGES.map(({ kernel, about, bytes }, k) => ({
  name: kernel.name,
  about,
  unit: "image",
  tolerance: 0,
  async prepare(space, { side }) {
    const { resources, dispatches } = await cannyWork(space, side);
    // What comes before it, so that it finds its input.
    runOnce(space, k < 2 ? dispatches.slice(0, k) : dispatches);
    const extent = { items: side * side, images: 1 };
    return await kernelVariants(space, {
      kernel,
      resources: resources[k],
      extent,
      bytes: bytes * side * side,
    });
  },
}));

export const cannyCase: BenchCase = {
  name: "canny",
  about: `OpenCV's Canny(image, ${LOW}, ${HIGH}): gradient, suppression and ${TRACES} sweeps.`,
  unit: "image",
  tolerance: 0,
  async prepare(space, { side }) {
    const { gpu, timer } = space.bench;
    const { data, marks, dispatches } = await cannyWork(space, side);
    const image = { width: side, height: side, data };
    const bytes = 8 * side * side;
    const output = { buffer: marks, offset: 0, bytes: 4 * side * side, decode: edgesOf };
    return [
      dispatchContender(gpu, timer, {
        name: `${dispatches.length} dispatches`,
        kind: "kernel",
        bytes,
        chosen: true,
        code: STAGES.map(({ kernel }) => kernel.code).join(""),
        dispatches,
        output,
      }),
      cpuContender(
        "cannyReference",
        bytes,
        () => cannyReference(image, { low: LOW, high: HIGH }),
      ),
    ];
  },
};

/** Canny's dispatches for an image, and what each of its kernels binds. */
async function cannyWork(space: Workspace, side: number) {
  const { gpu } = space.bench;
  const data = picture(side);
  const size = { width: side, height: side };
  const parameters = space.uniform(packStructs(cannyGradient.parameters, [size]), "image size");
  const thresholds = { ...size, low: LOW, high: HIGH };
  const levels = space.uniform(packStructs(cannySuppress.parameters, [thresholds]), "thresholds");
  const slopes = space.buffer(data.length, "gradient");
  const marks = space.buffer(data.length, "marks");
  const resources = [
    [parameters, space.buffer(data.length, "image", data), slopes],
    [levels, slopes, marks],
    [parameters, marks, space.buffer(4, "changes")],
  ];
  const extent = { items: side * side, images: 1 };
  const [gradient, suppress, trace] = await Promise.all(
    STAGES.map(async ({ kernel }, k) =>
      bindKernel(gpu, await compileKernel(gpu, kernel), resources[k], extent)
    ),
  );
  const traces = new Array<Dispatch>(TRACES).fill(trace);
  return { data, marks, resources, dispatches: [gradient, suppress, ...traces] };
}

function runOnce({ bench: { gpu } }: Workspace, dispatches: readonly Dispatch[]): void {
  if (!dispatches.length) return;
  const encoder = gpu.device.createCommandEncoder({ label: "canny" });
  encodeDispatches(encoder, dispatches);
  gpu.device.queue.submit([encoder.finish()]);
}

function edgesOf(words: ArrayBuffer): Uint8Array {
  return Uint8Array.from(new Uint32Array(words), (mark) => mark === 2 ? 255 : 0);
}
