import { AppError } from "../error.ts";
import { type Catalogue, type CatalogueEntry, embeddedModel, findModel } from "./catalogue.ts";

/** Where a model's files are. */
export type ModelSource =
  /** The folder `models/<id>` of this repository. */
  | { readonly kind: "embedded"; readonly id: string }
  /** A folder on this machine. */
  | { readonly kind: "folder"; readonly path: string }
  /** A Hugging Face repository; revision is a branch, a tag or a commit. */
  | {
    readonly kind: "hub";
    readonly owner: string;
    readonly name: string;
    readonly revision: string;
  }
  /** Any web server: files are at `base` joined with their path. */
  | { readonly kind: "url"; readonly base: string };

/**
 * Reads what a user named: `embedded` or an id of the catalogue, `hf:owner/name[@revision]`,
 * an http(s) address, or else a folder. Whether the folder exists is checked when it is opened,
 * with the same {@link unknownModel}.
 * @throws AppError `model_not_found` that names the accepted forms.
 */
export function parseModelSource(text: string, catalogue?: Catalogue): ModelSource {
  const given = text.trim();
  const entry = knownModel(given, catalogue);
  if (entry) return sourceOf(entry);
  if (/^hf:/i.test(given)) return parseHub(given);
  if (/^https?:\/\//i.test(given)) return parseUrl(given);
  // A scheme has two letters or more: "C:\models" is a folder.
  if (given === "" || /^[a-z][a-z0-9+.-]+:/i.test(given)) throw unknownModel(text, catalogue);
  return { kind: "folder", path: given };
}

/** The entry that a source was looked up from, with what its files must be. */
export function catalogueEntryOf(text: string, catalogue: Catalogue): CatalogueEntry | undefined {
  return knownModel(text.trim(), catalogue);
}

/** "Cannot find the model": what was given, why not, and the forms that are accepted. */
export function unknownModel(
  given: string,
  catalogue?: Catalogue,
  why = "it is none of the accepted forms",
): AppError {
  const names = ["embedded", ...(catalogue?.models.map((entry) => entry.id) ?? [])].join(", ");
  return new AppError(
    "model_not_found",
    `Cannot find the model ${JSON.stringify(given)}: ${why}. Give a known name (${names}), ` +
      `a folder (./my-model), hf:owner/name[@revision], or an http(s) address of a folder`,
  );
}

/** A source as the user typed it; addresses without their query, which may be secret. */
export function describeSource(source: ModelSource): string {
  switch (source.kind) {
    case "embedded":
      return source.id;
    case "folder":
      return source.path;
    case "hub":
      return `hf:${source.owner}/${source.name}@${source.revision}`;
    case "url":
      return showUrl(source.base);
    default:
      return source satisfies never;
  }
}

/** An address without query and credentials. */
export function showUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function knownModel(given: string, catalogue?: Catalogue): CatalogueEntry | undefined {
  if (!catalogue) return undefined;
  return given === "embedded" ? embeddedModel(catalogue) : findModel(catalogue, given);
}

function sourceOf(entry: CatalogueEntry): ModelSource {
  return entry.source === "embedded"
    ? { kind: "embedded", id: entry.id }
    : parseModelSource(entry.source);
}

function parseHub(text: string): ModelSource {
  const match = /^hf:([\w.-]+)\/([\w.-]+)(?:@(.+))?$/i.exec(text);
  const [, owner = "", name = "", revision = "main"] = match ?? [];
  const dots = [owner, name, ...revision.split("/")].some((part) => /^\.*$/.test(part));
  if (!match || dots) {
    throw unknownModel(text, undefined, "a hub repository is written hf:owner/name[@revision]");
  }
  return { kind: "hub", owner, name, revision };
}

function parseUrl(text: string): ModelSource {
  if (!URL.canParse(text)) throw unknownModel(text, undefined, "it is not a well-formed address");
  const url = new URL(text);
  return parseHubPage(url) ?? { kind: "url", base: withSlash(url) };
}

/** The address of a repository's page, as people copy it from the hub. */
function parseHubPage(url: URL): ModelSource | undefined {
  if (url.host !== "huggingface.co") return undefined;
  const match = /^\/([\w.-]+)\/([\w.-]+)(?:\/tree\/([^/]+))?\/?$/.exec(url.pathname);
  if (!match) return undefined;
  const [, owner, name, revision = "main"] = match;
  return { kind: "hub", owner, name, revision: decodeURIComponent(revision) };
}

function withSlash(url: URL): string {
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href.replace(/#.*$/, "");
}
