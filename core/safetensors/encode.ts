/** A float16 tensor as bits, with the name it gets in the file. */
export interface NamedHalf {
  readonly name: string;
  readonly dims: readonly number[];
  readonly bits: Uint16Array;
}

/**
 * Float16 tensors in the safetensors format: length of the header (u64, little-endian), JSON
 * header padded with spaces to 8 bytes, then the tensors' bytes in the order given.
 * @param metadata text to text, under `__metadata__`.
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors(
  tensors: readonly NamedHalf[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header = safetensorsHeader(tensors, metadata);
  const body = tensors.reduce((sum, { bits }) => sum + bits.byteLength, 0);
  const file = new Uint8Array(header.length + body);
  file.set(header);
  let offset = header.length;
  for (const { bits } of tensors) {
    file.set(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength), offset);
    offset += bits.byteLength;
  }
  return file;
}

/** All that comes before the tensors' bytes. */
export function safetensorsHeader(
  tensors: readonly Pick<NamedHalf, "name" | "dims">[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(padded(headerOf(tensors, metadata)));
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

function headerOf(
  tensors: readonly Pick<NamedHalf, "name" | "dims">[],
  metadata: Readonly<Record<string, string>>,
): string {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, dims } of tensors) {
    const end = offset + dims.reduce((product, side) => product * side, 2);
    header[name] = { dtype: "F16", shape: dims, data_offsets: [offset, end] };
    offset = end;
  }
  return JSON.stringify(header);
}

function padded(header: string): string {
  const bytes = new TextEncoder().encode(header).length;
  return header + " ".repeat((8 - bytes % 8) % 8);
}
