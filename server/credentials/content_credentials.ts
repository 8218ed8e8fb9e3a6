import { AppError, reason } from "../../core/error.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import { Mutex } from "../../core/mutex.ts";
import { AskedThread } from "../compute/mod.ts";
import type { CredentialsAnswer, CredentialsOrder } from "./credentials_thread.ts";
import { readSigner } from "./signer.ts";

/** IPTC's word for what a trained model made. */
const SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
/** Our own assertion. */
const RECEIPT = "org.stepwise.receipt";
const THREAD = new URL("./credentials_thread.ts", import.meta.url);
/** Milliseconds for one file; it takes a tenth of a second. */
const MAX_MS = 30_000;

/** What is asserted of an image, besides that a model made it. */
export interface ReceiptFacts {
  /** The receipt's id, and the root of its Merkle tree. */
  readonly receipt: string;
  readonly root: string;
  /** SS58 of who made it. */
  readonly miner: string;
  /** Where the receipt is found. */
  readonly address?: string;
}

/**
 * Signs content credentials (C2PA) into images by an operator's certificate, in a thread of its own. One
 * file at a time.
 */
export class ContentCredentials implements AsyncDisposable {
  readonly #paths: CredentialsOrder["paths"];
  readonly #version: string;
  readonly #turns = new Mutex();
  readonly #thread = new AskedThread<CredentialsOrder, CredentialsAnswer>(THREAD, MAX_MS);

  /**
   * @param paths of the certificates in PEM, the signer's own first, and of its key.
   * @param version of this program.
   * @throws AppError as `readSigner`.
   */
  constructor(paths: CredentialsOrder["paths"], version: string) {
    readSigner(paths);
    this.#paths = paths;
    this.#version = version;
  }

  /** @throws AppError `encoding_failed` saying why the file could not be signed. */
  async sign(
    file: Uint8Array<ArrayBuffer>,
    format: ImageFormat,
    facts: ReceiptFacts,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const manifest = manifestOf(facts, this.#version);
    const order = { paths: this.#paths, file, mediaType: `image/${format}`, manifest };
    const answer = await this.#turns.run(() => this.#thread.ask(order))
      .catch((error) => ({ why: reason(error) }));
    if ("file" in answer) return answer.file;
    throw new AppError("encoding_failed", `Cannot sign content credentials: ${answer.why}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

function manifestOf(facts: ReceiptFacts, version: string): string {
  const agent = { name: "Stepwise", version };
  const action = { action: "c2pa.created", digitalSourceType: SOURCE, softwareAgent: agent };
  return JSON.stringify({
    claim_generator_info: [agent],
    assertions: [
      { label: "c2pa.actions", data: { actions: [action] } },
      { label: RECEIPT, data: facts },
    ],
  });
}
