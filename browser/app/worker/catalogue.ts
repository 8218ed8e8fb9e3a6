import catalogueJson from "../../../models/catalogue.json" with { type: "json" };
import { AppError } from "../../../core/error.ts";
import {
  type CatalogueEntry,
  catalogueEntryOf,
  decodeCatalogue,
  type KnownModel,
  knownModel,
} from "../../../core/model/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import { CachedFiles } from "./cached_files.ts";

const catalogue = decodeCatalogue(catalogueJson);

/** A model of the catalogue, with weights that are fetched when they are needed. */
export interface TabModel extends KnownModel<CachedFiles> {
  readonly entry: CatalogueEntry;
}

/** The model of a receipt, which may name anything; undefined where this tab does not have it. */
export function modelOf(
  { id, variant }: Pick<Receipt["model"], "id" | "variant">,
): TabModel | undefined {
  const entry = catalogue.models.find((each) => each.id === id);
  const weights = entry?.weights?.find((each) => each.variant === variant);
  if (!entry || !weights || entry.source !== "embedded") return undefined;
  const facts = () => Promise.resolve({ id, ...weights });
  return { ...knownModel(new CachedFiles(entry, variant), entry, facts), entry };
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
