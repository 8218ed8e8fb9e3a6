import type { ModelProgress } from "./model_progress.ts";
import type { RemoteFile } from "./remote_folder.ts";

/** Adds up the progress of all files. */
export class Meter {
  readonly #sizes: Map<string, number | undefined>;
  readonly #bytes = new Map<string, number>();
  readonly #report?: (progress: ModelProgress) => void;
  #done = 0;

  constructor(files: readonly RemoteFile[], report?: (progress: ModelProgress) => void) {
    this.#sizes = new Map(files.map((file) => [file.path, file.size]));
    this.#report = report;
  }

  has(file: string, bytes: number, size: number | undefined): void {
    this.#bytes.set(file, bytes);
    this.#sizes.set(file, size);
    this.#emit(file);
  }

  finish(file: string, size: number): void {
    this.#done++;
    this.has(file, size, size);
  }

  retry(file: string, message: string): void {
    this.#report?.({ kind: "retry", file, message });
  }

  #emit(file: string): void {
    const sizes = [...this.#sizes.values()];
    this.#report?.({
      kind: "download",
      file,
      bytes: sum([...this.#bytes.values()]),
      ...(sizes.includes(undefined) ? {} : { totalBytes: sum(sizes) }),
      files: this.#done,
      totalFiles: sizes.length,
    });
  }
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, n) => total + (n ?? 0), 0);
}
