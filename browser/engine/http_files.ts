import { AppError, reason } from "../../core/error.ts";
import {
  type ByteRange,
  checkModelPath,
  missingFile,
  type ModelFiles,
} from "../../core/model/mod.ts";
import type { ModelDescription } from "../../core/remote/mod.ts";

/** A model whose files are read by GET, whole or by range. */
export class HttpFiles implements ModelFiles {
  readonly name: string;
  readonly location: string;
  readonly variant?: string;
  readonly #url: string;
  readonly #sizes: ReadonlyMap<string, number>;

  constructor({ name, location, variant, url, sizes }: ModelDescription) {
    this.name = name;
    this.location = location;
    this.variant = variant;
    this.#url = url;
    this.#sizes = new Map(Object.entries(sizes));
  }

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

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    this.size(path);
    const headers = range && { range: `bytes=${range.start}-${range.end - 1}` };
    try {
      const response = await fetch(this.#url + path.split("/").map(encodeURIComponent).join("/"), {
        headers,
      });
      // The host's own words, which name file and folder.
      if (!response.ok) throw new AppError("model_invalid", await response.text());
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError(
        "download_failed",
        `Cannot read ${path} of ${this.name}: ${reason(cause)}`,
        { cause },
      );
    }
  }
}
