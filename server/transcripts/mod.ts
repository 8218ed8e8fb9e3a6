/**
 * Transcripts on disk: the file of `generate --transcript-out`, and the store in which a miner
 * keeps what it may be asked to open, bounded in bytes and in age.
 *
 * ```ts
 * import { tmpdir } from "node:os";
 * import { mkdtemp, rm } from "node:fs/promises";
 * import { DiskTranscriptStore } from "./mod.ts";
 *
 * const folder = await mkdtemp(`${tmpdir()}/stepwise-example-`);
 * {
 *   const options = { maxBytes: 2 ** 20, clock: Date.now };
 *   await using store = await DiskTranscriptStore.open(folder, options);
 *   await using writer = await store.create("an-image", 4);
 *   writer.append(Uint8Array.of(1, 2, 3, 4));
 *   // Without a commit nothing is kept or served.
 * }
 * await rm(folder, { recursive: true });
 * ```
 */
export { readTranscript } from "./transcript_file.ts";
export type { Eviction, TranscriptStore } from "./transcript_store.ts";
export { type DiskTranscriptOptions, DiskTranscriptStore } from "./transcript_store_disk.ts";
