import {
  type CatalogueEntry,
  decodeTolerances,
  describeSource,
  parseModelSource,
} from "../../core/model/mod.ts";
import { counted } from "../../core/counted.ts";
import { cachedCopies, type CachedCopy, knownModels, ownCacheFolder } from "../models/mod.ts";
import { columns } from "./columns.ts";
import { byteSize, parameterCount } from "./quantity.ts";

/** A model of the catalogue, and what there is of it. */
interface KnownRow extends
  Pick<
    CatalogueEntry,
    "id" | "name" | "family" | "source" | "licence" | "ran" | "parameters" | "notes" | "defaults"
  > {
  readonly gated: boolean;
  /** Precisions that it was calibrated in. */
  readonly tolerances: readonly string[];
  /** Bytes of its files, where the catalogue has them. */
  readonly bytes?: number;
  readonly cached: readonly CachedCopy[];
}

/** All that `models list` says. */
export interface Shelf {
  readonly models: readonly KnownRow[];
  readonly cache: { readonly folder: string; readonly models: readonly CachedCopy[] };
}

export async function readShelf(): Promise<Shelf> {
  const copies = await cachedCopies();
  return {
    models: knownModels().models.map((entry) => knownRow(entry, copies)),
    cache: { folder: ownCacheFolder(), models: copies },
  };
}

function knownRow(entry: CatalogueEntry, copies: readonly CachedCopy[]): KnownRow {
  const { id, name, family, source, licence, ran, parameters, notes, defaults } = entry;
  const sizes = Object.values(entry.files).map(({ size }) => size);
  return {
    ...{ id, name, family, source, licence, ran, parameters, notes, defaults },
    gated: entry.gated ?? false,
    tolerances: decodeTolerances(entry.tolerances ?? []).map(({ precision }) => precision),
    ...sizes.length > 0 && { bytes: sizes.reduce((sum, size) => sum + size, 0) },
    cached: copies.filter(({ model }) => isOf(source, model)),
  };
}

/** Whether a copy is of a source's repository, at whatever commit. */
function isOf(source: string, model: string): boolean {
  const parsed = parseModelSource(source);
  if (parsed.kind === "hub") return model.startsWith(`hf:${parsed.owner}/${parsed.name}@`);
  return model === describeSource(parsed);
}

const HEAD = ["model", "family", "size", "licence", "tolerances", "state"];

/** For people. */
export function shelfText({ models, cache }: Shelf): string {
  const known = columns([HEAD, ...models.map(knownCells)]);
  const copies = columns(cache.models.map(copyCells)).map((line) => `  ${line}`);
  const all = cache.models.reduce((sum, { bytes }) => sum + bytes, 0);
  const what = copies.length > 0
    ? `${counted(copies.length, "model")}, ${byteSize(all)}:`
    : "no model";
  return [...known, "", `In the cache, ${cache.folder}: ${what}`, ...copies].join("\n");
}

function knownCells(row: KnownRow): string[] {
  const { id, family, licence, tolerances, parameters, bytes } = row;
  const size = bytes !== undefined
    ? byteSize(bytes)
    : parameters !== undefined
    ? `${parameterCount(parameters)} parameters`
    : "";
  return [id, family, size, licence, tolerances.join(", ") || "defaults", stateOf(row)];
}

function stateOf({ ran, gated, cached, source }: KnownRow): string {
  const place = source === "embedded"
    ? "in this repository"
    : cached.length > 0
    ? "in the cache"
    : gated
    ? "on the hub, gated"
    : "on the hub";
  return ran ? place : `${place}; only read of, never run here`;
}

function copyCells({ model, bytes, files }: CachedCopy): string[] {
  return [model, byteSize(bytes), files > 0 ? counted(files, "file") : "not whole"];
}
