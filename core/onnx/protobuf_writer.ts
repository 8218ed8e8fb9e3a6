const FIRST_BYTES = 65_536;
const ASCII = /^[\0-\x7f]*$/;

/**
 * Writes a protobuf message field by field into one buffer that grows: a graph has tens of thousands of
 * fields, of which none is worth an array of its own.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  readonly #encoder = new TextEncoder();
  #buffer = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** @param value a whole number; of one below 0 the two's complement in 64 bits is written. */
  varint(field: number, value: number): void {
    this.#varint(field * 8);
    if (value >= 0) this.#varint(value);
    else this.#negativeVarint(value);
  }

  float(field: number, value: number): void {
    this.#varint(field * 8 + 5);
    this.#reserve(4);
    new DataView(this.#buffer.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(field: number, value: string): void {
    if (!ASCII.test(value)) return this.bytes(field, this.#encoder.encode(value));
    // By hand: an encoder's call takes longer than a name is to write.
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#reserve(value.length);
    for (let i = 0; i < value.length; i++) this.#buffer[this.#length++] = value.charCodeAt(i);
  }

  /** A message of what is written meanwhile. */
  message(field: number, write: () => void): void {
    this.#varint(field * 8 + 2);
    this.#reserve(1);
    const start = ++this.#length;
    write();
    this.#writeLength(start);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  /** In the byte left free before `start`; most messages are short, a longer one makes room. */
  #writeLength(start: number): void {
    const end = this.#length;
    this.#length = start - 1;
    const room = varintBytes(end - start) - 1;
    if (room > 0) {
      this.#reserve(end - this.#length + room);
      this.#buffer.copyWithin(start + room, start, end);
    }
    this.#varint(end - start);
    this.#length = end + room;
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.#buffer[this.#length++] = rest % 128 + 128;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#length++] = rest;
  }

  #negativeVarint(value: number): void {
    this.#reserve(10);
    const bits = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < 10; i++) {
      this.#buffer[this.#length++] = Number((bits >> BigInt(7 * i)) & 0x7fn) + (i < 9 ? 128 : 0);
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    grown.set(this.#buffer);
    this.#buffer = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
