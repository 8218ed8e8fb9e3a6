import { basename } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import { type ByteRange, ListedFiles } from "../../core/model/mod.ts";
import { readFileRange, withoutLinks } from "../storage/mod.ts";

/** A checkpoint in one file on this machine. */
export class CheckpointFile extends ListedFiles {
  constructor(location: string, size: number, variant?: string) {
    super({ name: location, location, variant }, new Map([[basename(location), size]]));
  }

  localPath(path: string): string {
    this.size(path);
    return withoutLinks(this.location);
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const whole = { start: 0, end: this.size(path) };
    try {
      return await readFileRange(this.location, range ?? whole);
    } catch (cause) {
      throw new AppError("storage_failed", `Cannot read ${this.location}: ${reason(cause)}`, {
        cause,
      });
    }
  }
}
