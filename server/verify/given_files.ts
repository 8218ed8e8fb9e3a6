import { open } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";
import { type EvidenceKind, evidenceKind, FILE_HEAD } from "../../core/file_kind.ts";
import { type Receipt, receiptId } from "../../core/transcript/mod.ts";
import { readReceipt } from "../sources/mod.ts";
import { sha256OfFile } from "../storage/mod.ts";

/** Files to check, by what they are. */
export interface GivenFiles {
  readonly receipt: string;
  readonly transcript?: string;
  readonly image?: string;
  /** What the run started from, and its mask. */
  readonly source?: string;
  readonly sourceMask?: string;
  /** The receipt that the request names as its parent, and its image. */
  readonly parent?: string;
  readonly parentImage?: string;
  /** What ControlNets drew along, and LoRAs, in any order. */
  readonly controlImage?: readonly string[];
  readonly lora?: readonly string[];
}

/** What one file is. */
type Role = Exclude<keyof GivenFiles, "controlImage" | "lora">;

/**
 * What each file is, by how it begins, and of several receipts and images by what names which: their order
 * and names say nothing.
 * @param named those that flags name, which are taken for what the flag says.
 * @throws AppError `invalid_request` for two of a kind, for no receipt, and for anything else;
 * `storage_failed`, `receipt_invalid`.
 */
export async function tellApart(
  paths: readonly string[],
  named: Partial<GivenFiles>,
): Promise<GivenFiles> {
  const found: Record<EvidenceKind, string[]> = { receipt: [], tensors: [], image: [] };
  for (const path of paths) {
    const kind = evidenceKind(await readHead(path));
    if (kind === undefined) refuse(`${path} is no receipt, no transcript and no image`);
    found[kind].push(path);
  }
  if (found.receipt.length === 0) refuse(`none of the files (${paths.join(", ")}) is a receipt`);
  const { receipt, parent } = await tellReceiptsApart(found.receipt, named.parent);
  const given = { ...named, receipt, ...named.parent === undefined && parent && { parent } };
  const tensors = await tellTensorsApart(found.tensors, given);
  const images = await tellImagesApart(found.image, given);
  return { ...given, ...images, ...tensors };
}

/** Those are LoRAs whose hashes the request names, also one that comes alone. */
async function tellTensorsApart(
  paths: readonly string[],
  given: GivenFiles,
): Promise<Pick<GivenFiles, "transcript" | "lora">> {
  const lora: string[] = [];
  if (paths.length > 0) {
    const { adapters } = (await readReceipt(given.receipt)).request;
    const named = (Array.isArray(adapters) ? adapters : []).map((each) => Object(each).sha256);
    // A transcript is large: it is not read where no LoRA is named.
    for (const path of named.length > 0 ? paths : []) {
      if (named.includes(await sha256OfFile(path))) lora.push(path);
    }
  }
  const others = paths.filter((path) => !lora.includes(path));
  const [transcript] = oneOfAKind("transcript", [given.transcript, ...others]);
  return {
    ...transcript !== undefined && { transcript },
    ...lora.length > 0 && { lora: [...given.lora ?? [], ...lora] },
  };
}

function oneOfAKind(
  kind: "receipt" | "transcript" | "image",
  paths: readonly (string | undefined)[],
): string[] {
  const given = paths.filter((path) => path !== undefined);
  if (given.length > 1) refuse(`${given[0]} and ${given[1]} are given as the ${kind}: give one`);
  return given;
}

/** The one that no other names as its parent is checked. */
async function tellReceiptsApart(
  paths: readonly string[],
  parent: string | undefined,
): Promise<Pick<GivenFiles, "receipt" | "parent">> {
  if (paths.length === 1) return { receipt: paths[0] };
  if (paths.length > 2 || parent !== undefined) oneOfAKind("receipt", paths);
  const ids: Record<string, { readonly id: string; readonly parent: string | undefined }> = {};
  for (const path of paths) {
    const receipt = await readReceipt(path);
    ids[path] = { id: receiptId(receipt), parent: receipt.request.parent };
  }
  const [one, other] = paths;
  if (ids[one].parent === ids[other].id) return { receipt: one, parent: other };
  if (ids[other].parent === ids[one].id) return { receipt: other, parent: one };
  return refuse(`${one} and ${other} are given as the receipt: give one, or its parent beside it`);
}

/** By their hashes; one that nothing names is taken for the image itself. */
async function tellImagesApart(
  paths: readonly string[],
  given: Pick<GivenFiles, "receipt"> & Partial<GivenFiles>,
): Promise<Partial<GivenFiles>> {
  if (paths.length === 0) return {};
  const receipt = await readReceipt(given.receipt);
  const controls = receipt.request.control?.map((use) => use.image) ?? [];
  const roles = rolesOf(
    receipt,
    given.parent === undefined ? undefined : await readReceipt(given.parent),
  );
  const found: Partial<Record<Role, string>> = {};
  const controlImage: string[] = [];
  for (const path of paths) {
    const hash = await sha256OfFile(path);
    const isControl = controls.includes(hash);
    if (isControl) controlImage.push(path);
    const own = roles.filter(([, sha256]) => sha256 === hash).map(([role]) => role);
    for (const role of own.length > 0 || isControl ? own : ["image" as const]) {
      oneOfAKind("image", [given[role] ?? found[role], path]);
      found[role] = path;
    }
  }
  if (controlImage.length === 0) return found;
  return { ...found, controlImage: [...given.controlImage ?? [], ...controlImage] };
}

function rolesOf(
  { image, request }: Receipt,
  parent: Receipt | undefined,
): (readonly [Role, string | undefined])[] {
  return [
    ["image", image.sha256],
    ["source", request.image],
    ["sourceMask", request.mask],
    ["parentImage", parent?.image.sha256],
  ];
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(
      new Uint8Array(FILE_HEAD),
      0,
      FILE_HEAD,
      0,
    );
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
