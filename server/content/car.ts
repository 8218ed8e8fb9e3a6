import { CarReader, CarWriter } from "@ipld/car";
import { importer } from "ipfs-unixfs-importer";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import { balanced } from "ipfs-unixfs-importer/layout";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { AppError, reason } from "../../core/error.ts";

/** A file of a batch, by its path below the batch's folder. */
export interface ContentFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A folder of files as one archive. */
export interface Archive {
  /** Of the folder: what `ipfs add --cid-version=1 --recursive` says of it. */
  readonly cid: string;
  /** CAR, version 1. */
  readonly car: Uint8Array<ArrayBuffer>;
}

/** As `ipfs add` has them by default. */
const LAYOUT = { chunkSize: 262_144, maxChildrenPerNode: 174 };

/** The folder's blocks in an archive: any node of IPFS takes it, and names the folder alike. */
export async function writeCar(files: readonly ContentFile[]): Promise<Archive> {
  const blocks: { readonly cid: CID; readonly bytes: Uint8Array }[] = [];
  const put = (cid: CID, bytes: Uint8Array) => {
    blocks.push({ cid, bytes });
    return cid;
  };
  let root: CID | undefined;
  const source = files.map(({ path, bytes }) => ({ path, content: bytes }));
  for await (const entry of importer(source, { put } as never, OPTIONS)) root = entry.cid as CID;
  if (!root) throw new AppError("invalid_request", "Cannot write a CAR: it has no files");
  return { cid: root.toString(), car: await archived(root, blocks) };
}

const OPTIONS = {
  cidVersion: 1,
  rawLeaves: true,
  wrapWithDirectory: true,
  chunker: fixedSize({ chunkSize: LAYOUT.chunkSize }),
  layout: balanced({ maxChildrenPerNode: LAYOUT.maxChildrenPerNode }),
} as const;

async function archived(
  root: CID,
  blocks: readonly { readonly cid: CID; readonly bytes: Uint8Array }[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { writer, out } = CarWriter.create([root]);
  const written = (async () => {
    for (const block of blocks) await writer.put(block);
    await writer.close();
  })();
  const parts: Uint8Array[] = [];
  for await (const part of out) parts.push(part);
  await written;
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/**
 * The archive's root, once every block is what its CID says.
 * @throws AppError `download_failed` for what is no archive, or one with a damaged block.
 */
export async function checkCar(car: Uint8Array): Promise<string> {
  try {
    const reader = await CarReader.fromBytes(car);
    for await (const { cid, bytes } of reader.blocks()) {
      const { digest } = await sha256.digest(bytes);
      if (!digest.every((byte, k) => byte === cid.multihash.digest[k])) {
        throw new Error(`block ${cid} has other bytes`);
      }
    }
    const [root, ...more] = await reader.getRoots();
    if (!root || more.length) throw new Error("it has no single root");
    return root.toString();
  } catch (cause) {
    throw new AppError("download_failed", `Cannot read the batch: ${reason(cause)}`, { cause });
  }
}
