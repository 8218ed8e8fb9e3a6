import { type ByteRange, ListedFiles } from "../../../core/model/mod.ts";

/** One file that the reader gave, as a model's folder: only what is asked for of it is read. */
export class BlobFiles extends ListedFiles {
  readonly #blob: Blob;

  constructor(name: string, blob: Blob) {
    super({ name, location: name }, new Map([[name, blob.size]]));
    this.#blob = blob;
  }

  async bytes(_path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const part = range ? this.#blob.slice(range.start, range.end) : this.#blob;
    return new Uint8Array(await part.arrayBuffer());
  }
}
