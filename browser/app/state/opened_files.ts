import { counted } from "../../../core/counted.ts";
import { type EvidenceKind, evidenceKind, FILE_HEAD } from "../../../core/file_kind.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { namedFiles, receiptOf } from "../api/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";

/** What is needed to put files together. */
export interface Lookup {
  /** SHA-256 in lower-case hex, of the file and of its picture alone. */
  readonly hashesOf: (file: Blob) => Promise<readonly string[]>;
  /** Receipts that are known here, for images that come alone. */
  readonly known: () => Promise<readonly StoredReceipt[]>;
  /** Receipts that this page's server knows for an image, the likeliest first. */
  readonly find: (image: File) => Promise<readonly StoredReceipt[]>;
}

const MAX_FILES = 500;
const MAX_RECEIPT_FILE = 2 ** 20;

/**
 * Puts files together: each receipt with the files that it names by their hashes, its image and what
 * that was made from, and with the transcript where there is one.
 * @returns at least one; of several, the one that others go on from comes after them.
 * @throws Error in a sentence for the reader.
 */
export async function receiptsOfFiles(
  files: readonly File[],
  { hashesOf, known, find }: Lookup,
): Promise<StoredReceipt[]> {
  if (files.length > MAX_FILES) {
    throw new Error(
      `Cannot open these: they are ${counted(files.length, "file")}, at most ${MAX_FILES}.`,
    );
  }
  const kinds = await Promise.all(files.map(async (file) => ({ file, kind: await kindOf(file) })));
  const of = (wanted: EvidenceKind) =>
    kinds.filter(({ kind }) => kind === wanted).map(({ file }) => file);
  const images = await byHash(of("image"), hashesOf);
  const receipts = await Promise.all(of("receipt").map(readReceipt));
  const found = receipts.length > 0 ? receipts : await ofImages(images, known, find);
  const given = { images, tensors: of("tensors"), hashesOf };
  const whole = await Promise.all(found.map((each) => withFiles(each, given)));
  const isParent = ({ id }: StoredReceipt) =>
    whole.some(({ receipt }) => receipt.request.parent === id);
  return whole.toSorted((a, b) => Number(isParent(a)) - Number(isParent(b)));
}

interface GivenFiles extends Pick<Lookup, "hashesOf"> {
  /** By their hashes. */
  readonly images: ReadonlyMap<string, File>;
  readonly tensors: readonly File[];
}

async function byHash(
  files: readonly File[],
  hashesOf: Lookup["hashesOf"],
): Promise<Map<string, File>> {
  const found = new Map<string, File>();
  for (const file of files) {
    for (const hash of await hashesOf(file)) found.set(hash, file);
  }
  return found;
}

/** A receipt with those of the files that are its own. */
async function withFiles(
  stored: StoredReceipt,
  { images, tensors, hashesOf }: GivenFiles,
): Promise<StoredReceipt> {
  const { receipt } = stored;
  const named = namedFiles(receipt);
  // Megabytes, which are read for their hash where it says what they are.
  const weights = named.some(({ role }) => role === "lora")
    ? await byHash(tensors, hashesOf)
    : new Map<string, File>();
  const own = named.flatMap(({ sha256 }) => {
    const file = images.get(sha256) ?? weights.get(sha256);
    return file ? [[sha256, file] as const] : [];
  });
  const loras = own.map(([, file]) => file);
  const transcript = tensors.find((file) => !loras.includes(file));
  return {
    ...stored,
    image: images.get(receipt.image.sha256) ?? stored.image,
    ...(own.length > 0 && { inputs: { ...stored.inputs, ...Object.fromEntries(own) } }),
    ...(transcript && { transcript }),
  };
}

/**
 * Files that a receipt lacks, by their hashes.
 * @throws Error in a sentence for the reader where none is one of its own.
 */
export async function withGiven(
  stored: StoredReceipt,
  files: readonly File[],
  hashesOf: Lookup["hashesOf"],
): Promise<StoredReceipt> {
  const kinds = await Promise.all(files.map(kindOf));
  const of = (wanted: EvidenceKind) => files.filter((_, k) => kinds[k] === wanted);
  const images = await byHash(of("image"), hashesOf);
  const found = await withFiles(stored, { images, tensors: of("tensors"), hashesOf });
  const own = [found.image, found.transcript, ...Object.values(found.inputs ?? {})];
  const strange = files.filter((file) => !own.includes(file));
  if (strange.length < files.length) return found;
  throw new Error(
    `Cannot use ${
      strange.map(({ name }) => name).join(", ")
    }: the receipt names other files, by their ` +
      "hashes. A copy that was saved again is another file.",
  );
}

async function kindOf(file: File): Promise<EvidenceKind> {
  const head = new Uint8Array(await file.slice(0, FILE_HEAD).arrayBuffer());
  const kind = evidenceKind(head);
  if (kind) return kind;
  // What has no end of white space before it, or nothing at all, is refused as what it claims to be.
  if (/json/.test(file.type)) return "receipt";
  throw new Error(
    `Cannot open ${file.name}: it is no receipt (JSON), transcript (safetensors), or image ` +
      "(PNG, JPEG, WebP).",
  );
}

async function readReceipt(file: File): Promise<StoredReceipt> {
  if (file.size > MAX_RECEIPT_FILE) {
    throw new Error(`Cannot read a receipt: the file is too long (${file.name}).`);
  }
  const receipt = receiptOf(await file.text());
  return { id: receiptId(receipt), receipt, at: Date.now() };
}

/** The receipts of images that came without. */
async function ofImages(
  images: ReadonlyMap<string, File>,
  known: Lookup["known"],
  find: Lookup["find"],
): Promise<StoredReceipt[]> {
  if (images.size === 0) {
    throw new Error("Cannot use the transcript alone: drop its receipt with it.");
  }
  const all = await known();
  const ofThem = all.filter(({ receipt }) => images.has(receipt.image.sha256));
  // What others were made from is what they are checked against.
  const found = ofThem.length > 0
    ? ofThem
    : all.filter(({ receipt }) => namedFiles(receipt).some(({ sha256 }) => images.has(sha256)));
  const unique = found.filter(({ id }, k) => k === found.findIndex((each) => each.id === id));
  if (unique.length > 0) return unique;
  for (const image of new Set(images.values())) {
    const [likeliest] = await find(image);
    if (likeliest) return [likeliest];
  }
  throw new Error(
    "Cannot find the image's receipt: none that is known here, or at this page's server, is of this " +
      "image. Drop its receipt with it, or open the page of the validator that it came from.",
  );
}
