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
    /** A checkpoint in one file of the repository, by its path. */
    readonly file?: string;
  }
  /** Any web server: files are at `base` joined with their path. */
  | { readonly kind: "url"; readonly base: string }
  /** A checkpoint in one file on a web server. */
  | { readonly kind: "file"; readonly url: string };

/** How files of weights end; what is not safetensors is refused by name when it is opened. */
const FILE = /\.(?:safetensors|sft|ckpt|pth?|bin|gguf)$/i;
/** Where addresses of downloads say nothing of the file. */
const DOWNLOAD = /^https:\/\/civitai\.(?:com|green|red)\/api\/download\//;

/**
 * Reads what a user named: `embedded` or an id of the catalogue, `hf:owner/name[/file][@revision]`,
 * an http(s) address of a folder or a file, or else a folder or file on this machine. Whether that exists
 * is checked when it is opened, with the same {@link unknownModel}.
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
      "a folder (./my-model), a file (./my-model.safetensors), hf:owner/name[@revision], or an " +
      "http(s) address of either",
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
      return `hf:${source.owner}/${source.name}${
        source.file ? `/${source.file}` : ""
      }@${source.revision}`;
    case "url":
      return showUrl(source.base);
    case "file":
      return showUrl(source.url);
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
  const match = /^hf:([\w.-]+)\/([\w.-]+)(?:\/([^@]+))?(?:@(.+))?$/i.exec(text);
  const [, owner = "", name = "", file, revision = "main"] = match ?? [];
  const names = [owner, name, ...file?.split("/") ?? [], ...revision.split("/")];
  const dots = names.some((part) => /^\.*$/.test(part));
  if (!match || dots || (file && !FILE.test(file))) {
    const form = "hf:owner/name[@revision], or hf:owner/name/file.safetensors[@revision]";
    throw unknownModel(text, undefined, `a hub repository is written ${form}`);
  }
  return { kind: "hub", owner, name, revision, ...file === undefined ? {} : { file } };
}

function parseUrl(text: string): ModelSource {
  if (!URL.canParse(text)) throw unknownModel(text, undefined, "it is not a well-formed address");
  const url = new URL(text);
  const page = parseHubPage(url);
  if (page) return page;
  const one = FILE.test(url.pathname) || DOWNLOAD.test(url.href);
  return one ? { kind: "file", url: withoutFragment(url) } : { kind: "url", base: withSlash(url) };
}

/** The address of a repository's page, as people copy it from the hub. */
function parseHubPage(url: URL): ModelSource | undefined {
  if (url.host !== "huggingface.co") return undefined;
  const folder = /^\/([\w.-]+)\/([\w.-]+)(?:\/tree\/([^/]+))?\/?$/.exec(url.pathname);
  const one = /^\/([\w.-]+)\/([\w.-]+)\/(?:blob|resolve)\/([^/]+)\/(.+)$/.exec(url.pathname);
  const match = folder ?? one;
  if (!match) return undefined;
  const [, owner, name, revision = "main", path] = match;
  const hub = { kind: "hub", owner, name, revision: decodeURIComponent(revision) } as const;
  return path === undefined ? hub : { ...hub, file: decodeURIComponent(path) };
}

function withSlash(url: URL): string {
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return withoutFragment(url);
}

function withoutFragment(url: URL): string {
  return url.href.replace(/#.*$/, "");
}
