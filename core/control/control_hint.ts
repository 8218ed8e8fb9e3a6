import type { Gpu } from "../gpu/mod.ts";
import { cannyEdges } from "./canny.ts";
import { cannyReference, type RgbaPixels } from "./canny_reference.ts";

/** OpenCV's usual thresholds, with which edges are drawn for ControlNets. */
const THRESHOLDS = { low: 100, high: 200 } as const;

/**
 * What a ControlNet reads of an image: its pixels, or its edges, the same bits on every host.
 * @param image of the size of what is made.
 * @param gpu that finds the edges; undefined where the CPU does.
 * @returns f32[3, height, width] in 0..1.
 * @throws AppError `gpu_failed`, `device_lost`.
 */
export async function controlHint(
  image: RgbaPixels,
  preprocess: "none" | "canny",
  gpu: Gpu | undefined,
): Promise<Float32Array<ArrayBuffer>> {
  const pixels = image.width * image.height;
  if (preprocess === "canny") {
    const edges = gpu
      ? await cannyEdges(gpu, image, THRESHOLDS)
      : cannyReference(image, THRESHOLDS);
    return Float32Array.from({ length: 3 * pixels }, (_, i) => edges[i % pixels] / 255);
  }
  return Float32Array.from(
    { length: 3 * pixels },
    (_, i) => image.data[4 * (i % pixels) + Math.floor(i / pixels)] / 255,
  );
}
