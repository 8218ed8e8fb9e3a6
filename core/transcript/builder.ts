import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import {
  bytesOfBits,
  imageLeaf,
  type LatentShape,
  leafKindAt,
  leafNameAt,
  MASKED_SOURCES,
  type SourceKind,
  type TensorLeaf,
} from "./leaves.ts";
import { type Hash, leafHash, merkleRoot } from "./merkle.ts";
import { sketchRun } from "./sketch.ts";

/** The commitment to a whole transcript. */
export interface Commitment {
  readonly root: Hash;
  /** One a leaf: what a proof is made from. */
  readonly hashes: readonly Hash[];
  /** Of its predictions, as the receipt has it. */
  readonly sketch: string;
  /** Where they do not follow from the request, as the receipt has them. */
  readonly sources?: typeof MASKED_SOURCES;
}

/**
 * Commits to one image's generation while it runs. A leaf is hashed when its step ends, so that the
 * root is ready as soon as the image's file is. Predictions are kept until then: the root says how
 * they are sketched.
 */
export class TranscriptBuilder {
  readonly #elements: number;
  readonly #sources: readonly SourceKind[];
  readonly #hashes: Hash[] = [];
  readonly #predictions: Uint16Array[] = [];

  constructor(latent: LatentShape, sources: readonly SourceKind[] = []) {
    this.#elements = latent.reduce((product, side) => product * side, 1);
    this.#sources = sources;
  }

  /**
   * Takes the next leaf: (s, m,) x_0, D_0, x_1, ..., x_N.
   * @returns the bytes that were committed, for a store to keep.
   * @throws AppError `transcript_invalid` out of order, `shape_mismatch` for another length.
   */
  add(leaf: TensorLeaf): Uint8Array {
    const position = this.#hashes.length;
    const next = leafKindAt(position, this.#sources);
    if (leaf.kind !== next.kind || leaf.index !== next.index) {
      const due = leafNameAt(position, this.#sources);
      this.#refuse(`leaf is ${leaf.kind}.${leaf.index}, where ${due} is due`);
    }
    if (leaf.bits.length !== this.#elements) {
      throw new AppError(
        "shape_mismatch",
        `Cannot commit a leaf: its length is ${leaf.bits.length}, not ${this.#elements}`,
      );
    }
    const bytes = bytesOfBits(leaf.bits);
    this.#hashes.push(leafHash(position, bytes));
    if (leaf.kind === "d") this.#predictions.push(leaf.bits);
    return bytes;
  }

  /**
   * Takes the image's file, the last leaf.
   * @param steps N, the rows of the plan.
   * @throws AppError `transcript_invalid` unless x_N was the last before it, or a second time.
   */
  finish(image: Uint8Array, steps: number): Commitment {
    const position = imageLeaf(steps, this.#sources);
    if (this.#hashes.length !== position) {
      this.#refuse(`it has ${this.#hashes.length} leaves, not ${position}`);
    }
    this.#hashes.push(leafHash(position, image));
    const root = merkleRoot(this.#hashes);
    const sketch = sketchRun(bytesToHex(root), this.#predictions);
    const masked = this.#sources.length === MASKED_SOURCES.length;
    return { root, hashes: this.#hashes, sketch, ...(masked && { sources: MASKED_SOURCES }) };
  }

  #refuse(why: string): never {
    throw new AppError("transcript_invalid", `Cannot build the transcript: ${why}`);
  }
}
