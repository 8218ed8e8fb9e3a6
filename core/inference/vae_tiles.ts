import { LATENT_SCALE } from "../latent_scale.ts";

/** Channels first: f32[channels, height, width]. */
export interface Planes {
  readonly values: Float32Array<ArrayBufferLike>;
  readonly dims: readonly [channels: number, height: number, width: number];
}

/** How planes are cut and put together. */
export interface Tiling {
  /** Along a side, of what goes in. */
  readonly tile: number;
  /** From the start of one to that of the next. */
  readonly stride: number;
  /** Of what comes out: what fades from one tile to the next. */
  readonly blend: number;
  /** Of what comes out: what is kept of each but the last. */
  readonly keep: number;
}

/** As a share of a tile: neighbours have a quarter in common. */
const OVERLAP = 0.25;
/** Of VAEs whose configuration says none: what Stable Diffusion's has. */
const SAMPLE_SIZE = 512;

/** How diffusers' `AutoencoderKL.enable_tiling` cuts latents and images of a VAE. */
export function vaeTiling(
  sampleSize: number = SAMPLE_SIZE,
): { readonly decode: Tiling; readonly encode: Tiling } {
  const latent = Math.floor(sampleSize / LATENT_SCALE);
  const tiling = (tile: number, out: number) => {
    const blend = Math.floor(out * OVERLAP);
    return { tile, stride: Math.floor(tile * (1 - OVERLAP)), blend, keep: out - blend };
  };
  return { decode: tiling(latent, sampleSize), encode: tiling(sampleSize, latent) };
}

/** Whether diffusers cuts planes of such a size at all. */
export function isTiled({ dims: [, height, width] }: Pick<Planes, "dims">, { tile }: Tiling) {
  return height > tile || width > tile;
}

/**
 * What a network makes of planes, tile by tile, each faded into the one above and then into the one at its
 * left. GroupNorm sees a tile at a time, so the result is another than of the whole.
 * @param run of one tile.
 */
export async function byTiles(
  planes: Planes,
  { tile, stride, blend, keep }: Tiling,
  run: (tile: Planes) => Promise<Planes>,
): Promise<Planes> {
  const [, height, width] = planes.dims;
  const rows: Planes[] = [];
  let above: Planes[] = [];
  for (let top = 0; top < height; top += stride) {
    const row: Planes[] = [];
    for (let left = 0; left < width; left += stride) {
      const made = await run(cut(planes, top, left, tile));
      const upper = above.at(row.length);
      if (upper) fadeDown(upper, made, blend);
      const before = row.at(-1);
      if (before) fadeRight(before, made, blend);
      row.push(made);
    }
    rows.push(beside(row.map((each) => cut(each, 0, 0, keep))));
    above = row;
  }
  return below(rows);
}

/** A square of at most `side`, or what there is of it. */
function cut(
  { values, dims: [channels, height, width] }: Planes,
  top: number,
  left: number,
  side: number,
): Planes {
  const [high, wide] = [Math.min(side, height - top), Math.min(side, width - left)];
  const part = new Float32Array(channels * high * wide);
  for (let row = 0; row < channels * high; row++) {
    const from = (Math.floor(row / high) * height + top + row % high) * width + left;
    part.set(values.subarray(from, from + wide), row * wide);
  }
  return { values: part, dims: [channels, high, wide] };
}

/** Changes the first rows of the lower tile. */
function fadeDown(upper: Planes, lower: Planes, blend: number): void {
  const [channels, height, width] = lower.dims;
  const extent = Math.min(upper.dims[1], height, blend);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < extent; y++) {
      for (let x = 0; x < width; x++) {
        const to = (c * height + y) * width + x;
        const from = (c * upper.dims[1] + upper.dims[1] - extent + y) * upper.dims[2] + x;
        lower.values[to] = upper.values[from] * (1 - y / extent) + lower.values[to] * (y / extent);
      }
    }
  }
}

/** Changes the first columns of the right tile. */
function fadeRight(left: Planes, right: Planes, blend: number): void {
  const [channels, height, width] = right.dims;
  const extent = Math.min(left.dims[2], width, blend);
  for (let row = 0; row < channels * height; row++) {
    for (let x = 0; x < extent; x++) {
      const [to, from] = [row * width + x, (row + 1) * left.dims[2] - extent + x];
      right.values[to] = left.values[from] * (1 - x / extent) + right.values[to] * (x / extent);
    }
  }
}

function beside(row: readonly Planes[]): Planes {
  const [channels, height] = row[0].dims;
  const width = row.reduce((sum, { dims }) => sum + dims[2], 0);
  const values = new Float32Array(channels * height * width);
  for (let line = 0; line < channels * height; line++) {
    let at = line * width;
    for (const { values: own, dims: [, , wide] } of row) {
      values.set(own.subarray(line * wide, (line + 1) * wide), at);
      at += wide;
    }
  }
  return { values, dims: [channels, height, width] };
}

function below(rows: readonly Planes[]): Planes {
  const [channels, , width] = rows[0].dims;
  const height = rows.reduce((sum, { dims }) => sum + dims[1], 0);
  const values = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    let at = c * height * width;
    for (const { values: own, dims: [, high] } of rows) {
      values.set(own.subarray(c * high * width, (c + 1) * high * width), at);
      at += high * width;
    }
  }
  return { values, dims: [channels, height, width] };
}
