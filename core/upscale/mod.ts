/**
 * Images made larger: by Lanczos' kernel, or by a network. A run that goes on from an enlarged image
 * names its parent and what enlarged it, so that anybody can do it again.
 *
 * ```ts
 * import { lanczos } from "./mod.ts";
 *
 * const grey = { width: 2, height: 2, data: new Uint8ClampedArray(16).fill(128) };
 * const { width, data } = await lanczos.enlarge(grey, { width: 4, height: 4 });
 * console.assert(width === 4 && data.every((level) => level === 128));
 * ```
 */
export { enlargedSize } from "./enlarged_size.ts";
export { type NetworkFile, openUpscaleNetwork } from "./network.ts";
export { lanczos, type Size, type Upscaler } from "./upscaler.ts";
