import type { RgbaImage } from "../image/mod.ts";
import type { Size } from "./upscaler.ts";

/** Pixels of an image that a network enlarges at once. */
export interface Tile {
  /** What is kept of it. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** What the network sees: more, but for the image's own borders. */
  readonly seen: { readonly left: number; readonly top: number } & Size;
}

/** Pixels along a side of what is kept of a tile. */
export const TILE = 192;
/**
 * Pixels that a network sees beyond it. A pixel is made of those as far away as the network's convolutions
 * reach: 10 in the embedded one, 34 in Real-ESRGAN's compact ones, of which the last two hardly count;
 * ESRGAN's own reaches several hundred.
 */
export const OVERLAP = 32;

/** Tiles from the top left, row by row: the same for everybody, since pixels depend on them a little. */
export function tilesOf({ width, height }: Size): Tile[] {
  const tiles: Tile[] = [];
  for (let top = 0; top < height; top += TILE) {
    for (let left = 0; left < width; left += TILE) {
      const [right, bottom] = [Math.min(left + TILE, width), Math.min(top + TILE, height)];
      const from = { left: Math.max(left - OVERLAP, 0), top: Math.max(top - OVERLAP, 0) };
      const to = { x: Math.min(right + OVERLAP, width), y: Math.min(bottom + OVERLAP, height) };
      const seen = { ...from, width: to.x - from.left, height: to.y - from.top };
      tiles.push({ left, top, right, bottom, seen });
    }
  }
  return tiles;
}

/** f32[3, height, width] in 0..1 of a part of an image; beyond its edges they go on. */
export function planesOf(
  image: RgbaImage,
  { left, top, width, height }: Tile["seen"],
): Float32Array {
  const planes = new Float32Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(top + y, image.height - 1) * image.width;
    for (let x = 0; x < width; x++) {
      const at = 4 * (row + Math.min(left + x, image.width - 1));
      for (let c = 0; c < 3; c++) {
        planes[(c * height + y) * width + x] = image.data[at + c] / 255;
      }
    }
  }
  return planes;
}

/** Writes what is kept of an enlarged tile, rounded, into the image. @param scale of the planes. */
export function placeTile(
  image: RgbaImage,
  { left, top, right, bottom, seen }: Tile,
  planes: Float32Array,
  scale: number,
): void {
  const [width, height] = [seen.width * scale, seen.height * scale];
  for (let y = scale * top; y < Math.min(scale * bottom, image.height); y++) {
    for (let x = scale * left; x < Math.min(scale * right, image.width); x++) {
      const from = (y - scale * seen.top) * width + x - scale * seen.left;
      const at = 4 * (y * image.width + x);
      for (let c = 0; c < 3; c++) image.data[at + c] = 255 * planes[c * width * height + from];
      image.data[at + 3] = 255;
    }
  }
}
