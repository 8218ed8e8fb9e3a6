import { type ByteRange, missingFile, type ModelFiles } from "./model_files.ts";
import { checkModelPath } from "./model_path.ts";

/** A model's files by a list of their sizes; how their bytes are read is up to the kind. */
export abstract class ListedFiles implements ModelFiles {
  readonly name: string;
  readonly location: string;
  readonly variant?: string;
  readonly tensors?: ModelFiles["tensors"];
  readonly notices?: ModelFiles["notices"];
  readonly adapters?: ModelFiles["adapters"];
  readonly controls?: ModelFiles["controls"];
  readonly #sizes: ReadonlyMap<string, number>;

  /** @param sizes bytes of each path. */
  constructor(
    { name, location, variant, tensors, notices, adapters, controls }: Pick<
      ModelFiles,
      "name" | "location" | "variant" | "tensors" | "notices" | "adapters" | "controls"
    >,
    sizes: ReadonlyMap<string, number>,
  ) {
    this.name = name;
    this.location = location;
    this.variant = variant;
    this.tensors = tensors;
    this.notices = notices;
    this.adapters = adapters;
    this.controls = controls;
    this.#sizes = new Map([...sizes].sort(([a], [b]) => a < b ? -1 : 1));
  }

  abstract bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>>;

  get paths(): string[] {
    return [...this.#sizes.keys()];
  }

  has(path: string): boolean {
    return this.#sizes.has(checkModelPath(path, this.name));
  }

  size(path: string): number {
    const size = this.#sizes.get(checkModelPath(path, this.name));
    if (size === undefined) throw missingFile(this, path);
    return size;
  }

  async text(path: string): Promise<string> {
    return new TextDecoder().decode(await this.bytes(path));
  }
}
