import catalogueJson from "../../../models/catalogue.json" with { type: "json" };
import { AppError } from "../../../core/error.ts";
import {
  type CatalogueEntry,
  catalogueEntryOf,
  decodeCatalogue,
  type KnownModel,
  knownModel,
  type ModelFacts,
  type ModelFiles,
  ownControlPaths,
} from "../../../core/model/mod.ts";
import { manifestHash, type Receipt } from "../../../core/transcript/mod.ts";
import { CachedFiles } from "./cached_files.ts";
import type { RemoteFiles } from "./remote_files.ts";

const catalogue = decodeCatalogue(catalogueJson);

/** A model whose weights are fetched when they are needed. */
export type TabModel = KnownModel<CachedFiles | RemoteFiles>;

/** Models of folders on web servers that were opened here, by their address. */
const opened = new Map<string, TabModel>();

export function openedModel(address: string): TabModel | undefined {
  return opened.get(address);
}

export function rememberModel(address: string, model: TabModel): void {
  opened.set(address, model);
}

/** The model of a receipt, which may name anything; undefined where this tab does not have it. */
export function modelOf(
  { id, variant }: Pick<Receipt["model"], "id" | "variant">,
): TabModel | undefined {
  const remote = [...opened.values()].find(({ files }) => files.name === id);
  if (remote && variant === undefined) return remote;
  const entry = catalogue.models.find((each) => each.id === id);
  const weights = entry?.weights?.find((each) => each.variant === variant);
  if (!entry || !weights || entry.source !== "embedded") return undefined;
  const files = new CachedFiles(entry, variant);
  return knownModel(
    files,
    entry,
    async () => ({ id, ...weights, ...await controlOf(files, entry) }),
  );
}

/** Of hashes that the catalogue has: no file is read. */
async function controlOf(
  files: ModelFiles,
  entry: CatalogueEntry,
): Promise<Pick<ModelFacts, "control">> {
  const paths = await ownControlPaths(files);
  const hashes = paths.map((path) => [path, entry.files[path].sha256] as const);
  return paths.length === 0 ? {} : { control: manifestHash(Object.fromEntries(hashes)) };
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
