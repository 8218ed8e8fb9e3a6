import { bytesToHex } from "@noble/hashes/utils.js";
import { CarReader } from "@ipld/car";
import { exporter } from "ipfs-unixfs-exporter";
import { AppError, reason } from "../../core/error.ts";
import { checkAttestation, decodeAttestation } from "../../core/protocol/mod.ts";
import { canonicalJson, leafHash, merkleRoot } from "../../core/transcript/mod.ts";
import { type Archive, checkCar, type ContentFile, writeCar } from "./car.ts";
import type { Listed, Piece, StoredBatch } from "./publications.ts";
import { checkSubmission } from "./submission.ts";

const VERSION = 1;
const INDEX = "index.json";
const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" } as const;

/** A piece as the batch's index lists it: without its file, which lies beside. */
type InBatch = Listed & { readonly file: string };

/** What a batch's index says. */
export interface BatchIndex {
  readonly version: number;
  readonly epoch: number;
  /** Over the pieces, in hex. */
  readonly root: string;
  readonly pieces: readonly InBatch[];
}

/** Images, receipts and scores as one archive under one Merkle root. */
export async function makeBatch(
  epoch: number,
  pieces: readonly Piece[],
): Promise<Archive & StoredBatch> {
  const listed = pieces.map(({ image: _, ...piece }) => ({
    ...piece,
    file: `${piece.id}.${ENDINGS[piece.receipt.image.mediaType]}`,
  }));
  const root = rootOf(listed);
  const index: BatchIndex = { version: VERSION, epoch, root, pieces: listed };
  const files: ContentFile[] = [
    { path: INDEX, bytes: new TextEncoder().encode(canonicalJson(index)) },
    ...pieces.map(({ image }, k) => ({ path: listed[k].file, bytes: image })),
  ];
  return { epoch, root, ...await writeCar(files) };
}

function rootOf(pieces: readonly unknown[]): string {
  const leaves = pieces.map((piece, k) =>
    leafHash(k, new TextEncoder().encode(canonicalJson(piece)))
  );
  return bytesToHex(merkleRoot(leaves));
}

/**
 * Checks a batch end to end: every block, the Merkle root, and of every piece the miner's signature,
 * the creator's, and that the file is the receipt's.
 * @throws AppError `download_failed` for a damaged archive, `receipt_mismatch` for a false root, or
 * as the checks of the piece that fails.
 */
export async function verifyBatch(
  car: Uint8Array,
): Promise<{ readonly cid: string; readonly index: BatchIndex }> {
  const cid = await checkCar(car);
  const files = await filesOf(car);
  const index = indexOf(files.get(INDEX));
  if (rootOf(index.pieces) !== index.root) {
    throw new AppError("receipt_mismatch", "Cannot accept the batch: its root is of other pieces");
  }
  for (const { file, ...piece } of index.pieces) {
    const image = files.get(file) ?? new Uint8Array();
    const { id } = checkSubmission({ ...piece, image }, piece.at);
    if (id !== piece.id) {
      throw new AppError("receipt_mismatch", `Cannot accept the batch: ${piece.id} is ${id}`);
    }
    checkAttestations(id, piece.attestations ?? []);
  }
  return { cid, index };
}

function checkAttestations(id: string, given: readonly unknown[]): void {
  for (const each of given) {
    const attestation = decodeAttestation(each);
    checkAttestation(attestation);
    const { receipt } = attestation.attestation;
    if (receipt === id) continue;
    throw new AppError("receipt_mismatch", `Cannot accept the batch: ${id} is not ${receipt}`);
  }
}

function indexOf(bytes: Uint8Array | undefined): BatchIndex {
  try {
    const index = JSON.parse(new TextDecoder().decode(bytes));
    if (index.version === VERSION && Array.isArray(index.pieces)) return index;
    throw new Error(`its version is ${index.version}`);
  } catch (cause) {
    throw new AppError("download_failed", `Cannot read the batch's index: ${reason(cause)}`, {
      cause,
    });
  }
}

async function filesOf(car: Uint8Array): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const reader = await CarReader.fromBytes(car);
  const [root] = await reader.getRoots();
  const get = async function* (cid: typeof root): AsyncGenerator<Uint8Array, void> {
    const block = await reader.get(cid);
    if (block) {
      yield block.bytes;
      return;
    }
    throw new AppError("download_failed", `Cannot read the batch: block ${cid} is missing`);
  };
  const store = { get } as never;
  const folder = await exporter(root as never, store);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  if (folder.type !== "directory") return files;
  for await (const { name, cid } of folder.entries()) {
    const entry = await exporter(cid, store);
    if (entry.type === "directory" || !("content" in entry)) continue;
    const parts = await Array.fromAsync(entry.content());
    files.set(name, new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()));
  }
  return files;
}
