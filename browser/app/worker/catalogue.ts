import catalogueJson from "../../../models/catalogue.json" with { type: "json" };
import { AppError } from "../../../core/error.ts";
import {
  catalogueEntryOf,
  decodeCatalogue,
  type KnownModel,
  knownModel,
  type ModelFacts,
  networkPrecision,
  readLayout,
} from "../../../core/model/mod.ts";
import { manifestHash, type Receipt } from "../../../core/transcript/mod.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { CachedFiles } from "./cached_files.ts";
import { RemoteFiles } from "./remote_files.ts";

const catalogue = decodeCatalogue(catalogueJson);

/** A model whose weights are fetched when they are needed. */
export type TabModel = KnownModel<CachedFiles | RemoteFiles>;

/** Models of folders on web servers that were opened here, by their address. */
const remote = new Map<string, TabModel>();

/**
 * A model in a folder of diffusers on a web server.
 * @throws AppError as `RemoteFiles.open`.
 */
export async function openRemoteModel(address: string, signal: AbortSignal): Promise<TabModel> {
  const known = remote.get(address) ??
    [...remote.values()].find(({ files }) => files.name === address);
  if (known) return known;
  const files = await RemoteFiles.open(address, signal);
  const model = knownModel(files, undefined, () => remoteFacts(files));
  remote.set(files.name, model);
  return model;
}

/** Every file is read once more, by its whole: what a receipt names is all of its bytes. */
async function remoteFacts(files: RemoteFiles): Promise<ModelFacts> {
  const { paths, networks } = await readLayout(files);
  const hashes: Record<string, string> = {};
  for (const path of paths) hashes[path] = await hashInPieces(files, path);
  const precision = await networkPrecision(files, networks.unet);
  return { id: files.name, manifest: manifestHash(hashes), precision };
}

const PIECE = 16 * 2 ** 20;

async function hashInPieces(files: RemoteFiles, path: string): Promise<string> {
  const hash = sha256.create();
  const size = files.size(path);
  for (let start = 0; start < size; start += PIECE) {
    hash.update(await files.bytes(path, { start, end: Math.min(start + PIECE, size) }));
  }
  return bytesToHex(hash.digest());
}

/** The model of a receipt, which may name anything; undefined where this tab does not have it. */
export function modelOf(
  { id, variant }: Pick<Receipt["model"], "id" | "variant">,
): TabModel | undefined {
  const opened = remote.get(id);
  if (opened && variant === undefined) return opened;
  const entry = catalogue.models.find((each) => each.id === id);
  const weights = entry?.weights?.find((each) => each.variant === variant);
  if (!entry || !weights || entry.source !== "embedded") return undefined;
  const facts = () => Promise.resolve({ id, ...weights });
  return knownModel(new CachedFiles(entry, variant), entry, facts);
}

/** What the tab draws with. @throws AppError `model_not_found`. */
export function ownModel(): TabModel {
  const model = modelOf({ id: catalogueEntryOf("embedded", catalogue)?.id ?? "" });
  if (model) return model;
  throw new AppError("model_not_found", "Cannot make an image: the catalogue embeds no model");
}

/** Names a model's weights: one model of the catalogue, in one variant. */
export function weightsOf({ files: { name, variant = "" } }: TabModel): string {
  return `${name} ${variant}`;
}
