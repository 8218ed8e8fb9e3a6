/**
 * PNG as we and common encoders write it: 8 bits a channel, gray or RGB, with or without alpha, not
 * interlaced. A hostile file costs no more memory than the image it states: codecs in wasm keep what
 * they had taken when a damaged file ends them, and fail at honest ones after some hundred.
 * @see PNG, third edition, https://www.w3.org/TR/png-3/
 */

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Header extends Size {
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. */
  readonly channels: number;
}

export const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** By the header's colour type. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/**
 * @param size what it must be.
 * @returns u8[height, width, 4].
 * @throws Error saying what is not as it should be.
 */
export async function decodePng(
  file: Uint8Array<ArrayBuffer>,
  size: Size,
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { header, data } = readChunks(file);
  const { width, height, channels } = header;
  if (width !== size.width || height !== size.height) throw new Error(`it is ${width}x${height}`);
  const rows = await inflate(data, height * (1 + width * channels));
  unfilter(rows, width * channels, channels);
  return toRgba(rows, header);
}

/** The header, and what is compressed; all that is optional is passed over. */
function readChunks(file: Uint8Array<ArrayBuffer>) {
  if (SIGNATURE.some((byte, k) => file[k] !== byte)) throw new Error("it is no PNG");
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const data: Uint8Array<ArrayBuffer>[] = [];
  let header: Header | undefined;
  for (let at = SIGNATURE.length;;) {
    if (at + 12 > file.length) throw new Error("it is cut short");
    const bytes = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const body = file.subarray(at + 8, at + 8 + bytes);
    if (body.length < bytes) throw new Error("it is cut short");
    if (name === "IHDR") header = readHeader(body);
    else if (name === "IDAT") data.push(body);
    else if (name === "IEND") break;
    at += 12 + bytes;
  }
  if (!header) throw new Error("it has no header");
  return { header, data };
}

function readHeader(body: Uint8Array<ArrayBuffer>): Header {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const [depth, colour, compression, filter, interlace] = body.subarray(8);
  const channels = CHANNELS[colour];
  if (depth !== 8 || !channels || compression + filter + interlace !== 0) {
    throw new Error(
      `it has ${depth} bits, colour type ${colour}, interlacing ${interlace}: only 8 bits, gray or ` +
        "RGB, not interlaced, are read",
    );
  }
  return { width: view.getUint32(0), height: view.getUint32(4), channels };
}

/** @param size bytes that must come of it. */
async function inflate(
  parts: readonly Uint8Array<ArrayBuffer>[],
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const slices = slicesOf(parts);
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      const { done, value } = slices.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const reader = source.pipeThrough(new DecompressionStream("deflate")).getReader();
  const rows = new Uint8Array(size);
  let got = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (got + next.value.length > size) {
      await reader.cancel();
      throw new Error("it has more pixels than its header says");
    }
    rows.set(next.value, got);
    got += next.value.length;
  }
  if (got < size) throw new Error("it has fewer pixels than its header says");
  return rows;
}

/**
 * A decompressor gives all that a piece inflates to at once, which is up to a thousand times as
 * much, however little of it is wanted: of this size it is 4 MiB at most.
 */
const SLICE = 4096;

function* slicesOf(parts: readonly Uint8Array<ArrayBuffer>[]): Generator<Uint8Array<ArrayBuffer>> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += SLICE) yield part.subarray(at, at + SLICE);
  }
}

/** Undoes each row's filter, in place; a row begins with its filter's number. */
function unfilter(rows: Uint8Array, stride: number, channels: number): void {
  for (let at = 0; at < rows.length; at += 1 + stride) {
    const row = rows.subarray(at + 1, at + 1 + stride);
    const above = at === 0 ? new Uint8Array(stride) : rows.subarray(at - stride, at);
    const predict = FILTERS[rows[at]];
    if (!predict) throw new Error(`a row has the filter ${rows[at]}, which there is not`);
    for (let k = 0; k < stride; k++) {
      const left = k < channels ? 0 : row[k - channels];
      const corner = k < channels ? 0 : above[k - channels];
      row[k] += predict(left, above[k], corner);
    }
  }
}

type Predict = (left: number, above: number, corner: number) => number;

const FILTERS: readonly Predict[] = [
  () => 0,
  (left) => left,
  (_, above) => above,
  (left, above) => (left + above) >> 1,
  paeth,
];

/** Whichever of the three is nearest to left + above - corner. */
function paeth(left: number, above: number, corner: number): number {
  const [a, b] = [Math.abs(above - corner), Math.abs(left - corner)];
  const c = Math.abs(left + above - 2 * corner);
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

function toRgba(
  rows: Uint8Array,
  { width, height, channels }: Header,
): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  const colours = channels < 3 ? 1 : 3;
  for (let y = 0, from = 1, to = 0; y < height; y++, from++) {
    for (let x = 0; x < width; x++, from += channels, to += 4) {
      for (let k = 0; k < 3; k++) data[to + k] = rows[from + (colours === 1 ? 0 : k)];
      if (channels > colours) data[to + 3] = rows[from + colours];
    }
  }
  return data;
}
