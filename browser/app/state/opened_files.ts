import { counted } from "../../../core/counted.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { receiptOf } from "../api/mod.ts";
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

type Kind = "receipt" | "transcript" | "image";

const MAX_FILES = 500;
const MAX_RECEIPT_FILE = 2 ** 20;
/** First bytes of PNG, JPEG and WebP (RIFF). */
const IMAGES = [[0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff], [0x52, 0x49, 0x46, 0x46]];

/**
 * Puts files together: each receipt with the image that it names by its hash, and with the
 * transcript where there is one.
 * @returns at least one.
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
  const of = (wanted: Kind) => kinds.filter(({ kind }) => kind === wanted).map(({ file }) => file);
  const images = new Map<string, File>();
  for (const image of of("image")) {
    for (const hash of await hashesOf(image)) images.set(hash, image);
  }
  const [transcript] = of("transcript");
  const receipts = await Promise.all(of("receipt").map(readReceipt));
  const found = receipts.length > 0 ? receipts : await ofImages(images, known, find);
  return found.map((each) => ({
    ...each,
    image: images.get(each.receipt.image.sha256) ?? each.image,
    ...(transcript && { transcript }),
  }));
}

async function kindOf(file: File): Promise<Kind> {
  const start = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  if (IMAGES.some((magic) => magic.every((byte, k) => start[k] === byte))) return "image";
  // A safetensors file begins with the length of its header, eight bytes, which begins with "{".
  if (start[8] === 0x7b && start[7] === 0) return "transcript";
  if (/^\s*\{/.test(new TextDecoder().decode(start))) return "receipt";
  // What has no end of white space before it, or nothing at all, is told of as what it claims to be.
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
  const found = (await known()).filter(({ receipt }) => images.has(receipt.image.sha256));
  const unique = [...new Map(found.map((each) => [each.id, each])).values()];
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
