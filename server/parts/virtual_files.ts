import type { ByteRange } from "../../core/model/mod.ts";

/** Files that are not on disk, each by its path. */
export type VirtualFiles = ReadonlyMap<string, VirtualFile>;

export interface VirtualFile {
  readonly size: number;
  bytes(range: ByteRange): Promise<Uint8Array<ArrayBuffer>>;
}
