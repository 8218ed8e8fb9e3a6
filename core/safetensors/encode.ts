/** A float16 tensor as bits, with the name it gets in the file. */
export interface NamedHalf {
  readonly name: string;
  readonly dims: readonly number[];
  readonly bits: Uint16Array;
}

/** A float32 tensor with the name it gets in the file. */
export interface NamedFloats {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

type Named = Pick<NamedHalf, "name" | "dims">;
type Metadata = Readonly<Record<string, string>>;
type EncodedDtype = "F16" | "F32";

/**
 * Float16 tensors in the safetensors format: length of the header (u64, little-endian), JSON
 * header padded with spaces to 8 bytes, then the tensors' bytes in the order given.
 * @param metadata text to text, under `__metadata__`.
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: readonly NamedHalf[],
  metadata: Metadata,
): Uint8Array<ArrayBuffer> {
  return joined(safetensorsHeader(tensors, metadata), tensors.map(({ bits }) => bits));
}

/** Float32 tensors, as {@link encodeSafetensors} writes float16 ones. */
export function encodeFloatSafetensors(
  tensors: readonly NamedFloats[],
  metadata: Metadata,
): Uint8Array<ArrayBuffer> {
  return joined(headerBytes(tensors, "F32", metadata), tensors.map(({ values }) => values));
}

/** All that comes before the bytes of float16 tensors. */
export function safetensorsHeader(
  tensors: readonly Named[],
  metadata: Metadata,
): Uint8Array<ArrayBuffer> {
  return headerBytes(tensors, "F16", metadata);
}

function joined(
  header: Uint8Array,
  tensors: readonly (Uint16Array | Float32Array)[],
): Uint8Array<ArrayBuffer> {
  const body = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const file = new Uint8Array(header.length + body);
  file.set(header);
  let offset = header.length;
  for (const { buffer, byteOffset, byteLength } of tensors) {
    file.set(new Uint8Array(buffer, byteOffset, byteLength), offset);
    offset += byteLength;
  }
  return file;
}

function headerBytes(
  tensors: readonly Named[],
  dtype: EncodedDtype,
  metadata: Metadata,
): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(padded(headerOf(tensors, dtype, metadata)));
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

function headerOf(tensors: readonly Named[], dtype: EncodedDtype, metadata: Metadata): string {
  const elementBytes = { F16: 2, F32: 4 }[dtype];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, dims } of tensors) {
    const end = offset + dims.reduce((product, side) => product * side, elementBytes);
    header[name] = { dtype, shape: dims, data_offsets: [offset, end] };
    offset = end;
  }
  return JSON.stringify(header);
}

function padded(header: string): string {
  const bytes = new TextEncoder().encode(header).length;
  return header + " ".repeat((8 - bytes % 8) % 8);
}
