import { perceptualHash, resize, type RgbaImage } from "../image/mod.ts";
import { planesOf, structureOf } from "./structure.ts";

/** What is kept of a published picture, to compare later ones with. */
export interface Fingerprint {
  /** Of the picture, and of it in a mirror. */
  readonly hashes: readonly [string, string];
  /** Mean colours of its quarters, row by row: red, green and blue of each, 0 to 255. */
  readonly colours: readonly number[];
  /** f32[144], of unit length: what lies where, by colours and directions of edges. */
  readonly embedding: Float32Array;
}

/** Pixels a side that an embedding looks at, and cells a side that it describes. */
const SIDE = 96;
const CELLS = 4;
/** Directions of edges, over half a turn. */
const DIRECTIONS = 6;
const CHANNELS = 3;
/** An edge's strength counts by its root, so that one strong edge is not all. */
const EDGE_SHARE = 0.5;

export function fingerprintOf(image: RgbaImage): Fingerprint {
  return {
    hashes: [perceptualHash(image), perceptualHash(mirrored(image))],
    colours: quartersOf(image),
    embedding: embeddingOf(image),
  };
}

/**
 * A fixed description that needs no network: for each of 4x4 cells the mean colour and how strong edges
 * are in each of six directions, each kind centred and of its share of a unit length.
 * @see Oliva and Torralba, Modeling the shape of the scene, 2001, whose GIST it resembles.
 */
function embeddingOf(image: RgbaImage): Float32Array {
  const planes = planesOf(resize(image, { width: SIDE, height: SIDE }));
  const colours = new Float64Array(CELLS * CELLS * CHANNELS);
  const edges = new Float64Array(CELLS * CELLS * DIRECTIONS);
  const { along, across, cosine2, sine2 } = structureOf(planes);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const cell = cellOf(i);
    for (let c = 0; c < CHANNELS; c++) {
      colours[cell * CHANNELS + c] += planes.data[c * SIDE * SIDE + i] - 127.5;
    }
    const strength = Math.sqrt(Math.max(along[i] - across[i], 0));
    edges[cell * DIRECTIONS + directionOf(cosine2[i], sine2[i])] += strength;
  }
  return Float32Array.of(
    ...scaled(colours, 1 - EDGE_SHARE),
    ...scaled(centred(edges), EDGE_SHARE),
  );
}

function cellOf(i: number): number {
  const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
  return Math.floor(y * CELLS / SIDE) * CELLS + Math.floor(x * CELLS / SIDE);
}

/** Of the double angle, which goes round once in half a turn. */
function directionOf(cosine2: number, sine2: number): number {
  const turn = (Math.atan2(sine2, cosine2) / (2 * Math.PI) + 1) % 1;
  return Math.min(Math.floor(turn * DIRECTIONS), DIRECTIONS - 1);
}

function centred(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

/** With a squared length of `share`; all zeros stay so. */
function scaled(values: Float64Array, share: number): Float64Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? values.map((value) => value * Math.sqrt(share) / length) : values;
}

/** The picture as a mirror shows it. */
function mirrored({ width, height, data }: RgbaImage): RgbaImage {
  const from = new Uint32Array(data.slice().buffer);
  const to = from.map((_, i) => from[i - i % width + width - 1 - i % width]);
  return { width, height, data: new Uint8ClampedArray(to.buffer) };
}

function quartersOf(image: RgbaImage): number[] {
  const { data } = resize(image, { width: 2, height: 2 });
  return Array.from(data).filter((_, i) => i % 4 !== 3);
}
