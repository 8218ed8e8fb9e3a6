import { type FileHandle, open, rm } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";
import { type Hash, leafCount, type Receipt, sourcesOf } from "../../core/transcript/mod.ts";
import type { TranscriptWriter } from "./transcript_store.ts";
import { PRIVATE_FILE } from "../storage/mod.ts";
import { encodeIndex, type KeptInput } from "./transcript_store_file.ts";

/** What a transcript being written needs from its store. */
export interface PartialOwner {
  /** Makes room for the file's bytes, those about to be written included. */
  reserve(bytes: number): Promise<void>;
  /** Gives the file, whole and synced, its name. */
  commit(path: string, bytes: number): Promise<void>;
  /** It is given up. */
  drop(): void;
}

/** A transcript's file while it is written. */
export class PartialTranscript implements TranscriptWriter {
  readonly #path: string;
  readonly #owner: PartialOwner;
  readonly #lengths: number[] = [];
  readonly #inputs: KeptInput[] = [];
  #file: FileHandle | undefined;
  #bytes = 0;
  /** The last write; each waits for the one before. */
  #tail: Promise<void> = Promise.resolve();
  #committed = false;
  #failure: { readonly cause: unknown } | undefined;

  private constructor(path: string, file: FileHandle, owner: PartialOwner) {
    this.#path = path;
    this.#file = file;
    this.#owner = owner;
  }

  static async create(path: string, owner: PartialOwner): Promise<PartialTranscript> {
    const file = await open(path, "w", PRIVATE_FILE);
    return new PartialTranscript(path, file, owner);
  }

  append(bytes: Uint8Array): void {
    this.#lengths.push(bytes.length);
    this.#enqueue(bytes);
  }

  attach(sha256: string, bytes: Uint8Array): void {
    this.#inputs.push([sha256, bytes.length]);
    this.#enqueue(bytes);
  }

  async commit(receipt: Receipt, hashes: readonly Hash[]): Promise<void> {
    const due = leafCount(receipt.steps, sourcesOf(receipt));
    if (this.#lengths.length !== due || hashes.length !== due) {
      throw new AppError(
        "transcript_invalid",
        `Cannot keep a transcript: it has ${this.#lengths.length} leaves and ${hashes.length} ` +
          `hashes, not ${due}`,
      );
    }
    this.#enqueue(encodeIndex(receipt, this.#lengths, hashes, this.#inputs));
    await this.#tail;
    if (this.#failure) throw this.#failed(this.#failure.cause);
    await this.#file?.sync();
    await this.#close();
    await this.#owner.commit(this.#path, this.#bytes);
    this.#committed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail;
    if (this.#committed) return;
    await this.#close();
    await rm(this.#path, { force: true });
    this.#owner.drop();
  }

  #enqueue(bytes: Uint8Array): void {
    this.#tail = this.#tail.then(() => this.#write(bytes)).catch((cause) => {
      this.#failure ??= { cause };
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#failure || !this.#file) return;
    await this.#owner.reserve(this.#bytes + bytes.length);
    for (let at = 0; at < bytes.length;) {
      at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten;
    }
    this.#bytes += bytes.length;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #failed(cause: unknown): AppError {
    if (cause instanceof AppError) return cause;
    const message = `Cannot keep ${this.#path}: ${reason(cause)}`;
    return new AppError("storage_failed", message, { cause });
  }
}
