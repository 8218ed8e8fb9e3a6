import { sha256 } from "@noble/hashes/sha2.js";
import { AppError } from "../error.ts";

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;
const LEAF = 0x00;
const NODE = 0x01;

/** SHA-256(0x00 | index as u32, big-endian | bytes). The index keeps a leaf from standing in for another. */
export function leafHash(index: number, bytes: Uint8Array): Hash {
  const prefix = new Uint8Array(5);
  const view = new DataView(prefix.buffer);
  view.setUint8(0, LEAF);
  view.setUint32(1, index);
  return sha256.create().update(prefix).update(bytes).digest();
}

/** SHA-256(0x01 | left | right). */
function nodeHash(left: Hash, right: Hash): Hash {
  return sha256.create().update(Uint8Array.of(NODE)).update(left).update(right).digest();
}

/** Leaves of the left subtree: the largest power of two below the size, as RFC 6962 has it. */
function leftSize(size: number): number {
  return 2 ** (31 - Math.clz32(size - 1));
}

/**
 * Root over leaf hashes, in the shape of RFC 6962, section 2.1.
 * @param leaves one or more.
 */
export function merkleRoot(leaves: readonly Hash[]): Hash {
  return subtreeHash(leaves, 0, leaves.length);
}

function subtreeHash(leaves: readonly Hash[], start: number, size: number): Hash {
  if (size === 1) return leaves[start];
  const left = leftSize(size);
  return nodeHash(
    subtreeHash(leaves, start, left),
    subtreeHash(leaves, start + left, size - left),
  );
}

/** A run of leaves, both ends included. */
export interface LeafRun {
  readonly first: number;
  readonly last: number;
}

interface Subtree {
  readonly start: number;
  readonly size: number;
}

/** The largest subtrees that hold no leaf of the run, from left to right. */
function subtreesOutside(run: LeafRun, { start, size }: Subtree): Subtree[] {
  const end = start + size - 1;
  if (end < run.first || start > run.last) return [{ start, size }];
  if (start >= run.first && end <= run.last) return [];
  const left = leftSize(size);
  return [
    ...subtreesOutside(run, { start, size: left }),
    ...subtreesOutside(run, { start: start + left, size: size - left }),
  ];
}

/** How many hashes prove a run: at most two a level of the tree. */
export function proofLength(size: number, run: LeafRun): number {
  return subtreesOutside(run, { start: 0, size }).length;
}

/** The hashes that, with a run's own leaves, give the root: the least there can be. */
export function proveRun(leaves: readonly Hash[], run: LeafRun): Hash[] {
  checkRun(leaves.length, run);
  return subtreesOutside(run, { start: 0, size: leaves.length })
    .map(({ start, size }) => subtreeHash(leaves, start, size));
}

function checkRun(size: number, { first, last }: LeafRun): void {
  if (!Number.isInteger(first) || first < 0 || last < first || last >= size) {
    throw new AppError(
      "proof_invalid",
      `Cannot prove leaves: the run is ${first} to ${last}, not inside 0 to ${size - 1}`,
    );
  }
}

/**
 * The root that a run and its proof stand for; compare it with the committed one. Takes at most
 * two hashes a level and one a leaf, whatever it is given.
 * @param size leaves in the whole tree, known from the receipt.
 * @param leaves hashes of the run's leaves, computed by the caller from their bytes.
 * @throws AppError `proof_invalid` when the run or the number of hashes does not fit the tree.
 */
export function rootOfRun(
  size: number,
  run: LeafRun,
  leaves: readonly Hash[],
  proof: readonly Hash[],
): Hash {
  checkRun(size, run);
  const expected = proofLength(size, run);
  if (proof.length !== expected || leaves.length !== run.last - run.first + 1) {
    throw new AppError(
      "proof_invalid",
      `Cannot check a proof: it has ${proof.length} hashes for ${leaves.length} leaves, not ` +
        `${expected} for ${run.last - run.first + 1}`,
    );
  }
  const rest = proof.values();
  const hashOf = ({ start, size }: Subtree): Hash => {
    if (start + size <= run.first || start > run.last) return rest.next().value ?? leaves[0];
    if (size === 1) return leaves[start - run.first];
    const left = leftSize(size);
    const below = hashOf({ start, size: left });
    return nodeHash(below, hashOf({ start: start + left, size: size - left }));
  };
  return hashOf({ start: 0, size });
}
