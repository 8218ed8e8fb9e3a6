/**
 * Control images made from plain ones: Canny edges as OpenCV finds them, bit for bit, on the GPU
 * (`cannyEdges`) and on the CPU (`cannyReference`).
 *
 * ```ts
 * import { cannyReference } from "./mod.ts";
 *
 * // Left half black, right half white: one edge, from top to bottom.
 * const [width, height] = [8, 8];
 * const data = Uint8Array.from(
 *   { length: 4 * width * height },
 *   (_, k) => (k >> 2) % width < width / 2 ? 0 : 255,
 * );
 * const edges = cannyReference({ width, height, data }, { low: 100, high: 200 });
 * console.assert(edges.filter((value) => value === 255).length === height);
 * ```
 */
export { cannyEdges } from "./canny.ts";
export { controlHint } from "./control_hint.ts";
export { type CannyOptions, cannyReference, gaussianBlurReference } from "./canny_reference.ts";
