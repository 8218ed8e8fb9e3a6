import { counted } from "../counted.ts";
/** One field of a message; for a length-delimited one `start` and `end` span its content in bytes. */
export interface Field {
  readonly number: number;
  /** True when length-delimited: a message, a string or bytes. */
  readonly nested: boolean;
  readonly start: number;
  readonly end: number;
}

// Large enough to take a small graph in a few reads, small enough to skip from tensor to tensor.
const WINDOW_BYTES = 16_384;
const MAX_VARINT_BYTES = 10;

/**
 * Walks a protobuf without holding it: reads windows where headers are, skips over what is between.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  readonly #read: (start: number, end: number) => Promise<Uint8Array>;
  readonly #size: number;
  readonly #broken: (why: string) => Error;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(
    read: (start: number, end: number) => Promise<Uint8Array>,
    size: number,
    broken: (why: string) => Error,
  ) {
    this.#read = read;
    this.#size = size;
    this.#broken = broken;
  }

  /** The fields of the message that spans these bytes. */
  async *fields(start: number, end: number): AsyncGenerator<Field> {
    for (let at = start; at < end;) {
      const [tag, afterTag] = await this.#varint(at);
      const field = await this.#field(tag, afterTag);
      if (field.end > end) throw this.#broken(this.#overrun(field.end));
      yield field;
      at = field.end;
    }
  }

  async text({ start, end }: Field): Promise<string> {
    return new TextDecoder().decode(await this.#read(start, end));
  }

  async #field(tag: number, at: number): Promise<Field> {
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        return { number, nested: false, start: at, end: (await this.#varint(at))[1] };
      case 1:
        return { number, nested: false, start: at, end: at + 8 };
      case 2: {
        const [length, start] = await this.#varint(at);
        return { number, nested: true, start, end: start + length };
      }
      case 5:
        return { number, nested: false, start: at, end: at + 4 };
      default:
        throw this.#broken(`byte ${at} is not of a protobuf`);
    }
  }

  /** Above 2^53 the value is approximate, which is enough to see that it is no length. */
  async #varint(at: number): Promise<[value: number, after: number]> {
    await this.#show(at);
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (at + i >= this.#size) throw this.#broken(this.#overrun(at + i + 1));
      const byte = this.#window[at + i - this.#windowStart];
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return [value, at + i + 1];
    }
    throw this.#broken(`byte ${at} is not of a protobuf`);
  }

  /** Has the window hold a varint that starts here, as far as the file goes. */
  async #show(at: number): Promise<void> {
    const end = Math.min(at + MAX_VARINT_BYTES, this.#size);
    if (at >= this.#windowStart && end <= this.#windowStart + this.#window.length) return;
    this.#window = await this.#read(at, Math.min(at + WINDOW_BYTES, this.#size));
    this.#windowStart = at;
  }

  #overrun(needed: number): string {
    return needed > this.#size
      ? `it has ${counted(this.#size, "byte")} of at least ${needed}`
      : "its lengths do not add up";
  }
}
