import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import type { DownloadedFile, FileSelection, ModelSource } from "../../core/model/mod.ts";
import { sha256, storageFailed } from "../storage/mod.ts";

const MANIFEST = ".stepwise.json";
const SHORT_COMMIT = 12;

const manifestSchema = z.object({
  /** The model's name: `hf:owner/name@<commit>` or an address. */
  model: z.string(),
  /** Files that came whole and were verified. */
  files: z.record(z.string(), z.object({ size: z.number(), sha256: z.string() })),
  /** For each selection that was fetched to the end, its files. */
  selections: z.record(z.string(), z.array(z.string())),
});

/** What a folder of the cache is known to hold. */
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Where models are cached: `STEPWISE_CACHE`, or `stepwise/models` in `XDG_CACHE_HOME` or `~/.cache`.
 */
export function modelCacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const caches = env.XDG_CACHE_HOME || join(env.HOME || env.USERPROFILE || ".", ".cache");
  return env.STEPWISE_CACHE || join(caches, "stepwise", "models");
}

/** The key of a selection in a manifest. */
function selectionKey({ file, variant = "", include = [] }: FileSelection): string {
  if (file !== undefined) return `file ${file}`;
  return [variant || "default", ...[...include].sort()].join("+");
}

/** The cache's own name for a model: readable, and safe as a folder's name. */
export function cacheName(
  source: Extract<ModelSource, { kind: "hub" | "url" | "file" }>,
  commit?: string,
): string {
  if (source.kind === "hub") {
    const { owner, name, revision } = source;
    return `hf--${owner}--${name}--${
      commit?.slice(0, SHORT_COMMIT) ?? encodeURIComponent(revision)
    }`;
  }
  const address = source.kind === "file" ? source.url : source.base;
  const { host, pathname } = new URL(address);
  const words = `${host}${pathname}`.replace(/[^\w.-]+/g, "--").replace(/-+$/, "").slice(-80);
  return `url--${words}--${sha256Hex(address).slice(0, SHORT_COMMIT)}`;
}

function sha256Hex(text: string): string {
  const hash = sha256();
  hash.update(new TextEncoder().encode(text));
  return hash.digest();
}

/** One model's folder in the cache, and what it is known to hold. */
export class CachedModel {
  readonly folder: string;
  #manifest: Manifest;

  private constructor(folder: string, manifest: Manifest) {
    this.folder = folder;
    this.#manifest = manifest;
  }

  static async open(folder: string, model = ""): Promise<CachedModel> {
    const empty = { model, files: {}, selections: {} };
    return new CachedModel(folder, await readManifest(folder) ?? empty);
  }

  get model(): string {
    return this.#manifest.model;
  }

  /** Verified files by their path. */
  get files(): Manifest["files"] {
    return this.#manifest.files;
  }

  /** The files of a selection, if all of them are here in their full size. */
  async complete(selection: FileSelection): Promise<readonly string[] | undefined> {
    const paths = this.#manifest.selections[selectionKey(selection)];
    if (!paths) return undefined;
    const whole = await Promise.all(paths.map((path) => this.holds(path)));
    return whole.every((is) => is) ? paths : undefined;
  }

  /** True when a verified file is still there in its full size. */
  async holds(path: string): Promise<boolean> {
    const size = await this.sizeOnDisk(path);
    return size !== undefined && size === this.files[path]?.size;
  }

  async sizeOnDisk(path: string): Promise<number | undefined> {
    const found = await stat(join(this.folder, path)).catch(() => undefined);
    return found?.isFile() ? found.size : undefined;
  }

  async add(files: readonly DownloadedFile[]): Promise<void> {
    const added = files.map(({ path, size, sha256 }) => [path, { size, sha256 }]);
    await this.#write({ files: { ...this.files, ...Object.fromEntries(added) } });
  }

  /** Marks these files as not verified; they are fetched again. */
  async drop(paths: readonly string[]): Promise<void> {
    const kept = Object.entries(this.files).filter(([path]) => !paths.includes(path));
    await this.#write({ files: Object.fromEntries(kept) });
    for (const path of paths) await rm(join(this.folder, path), { force: true });
  }

  async finish(selection: FileSelection, paths: readonly string[]): Promise<void> {
    const selections = { ...this.#manifest.selections, [selectionKey(selection)]: [...paths] };
    await this.#write({ selections });
  }

  async #write(change: Partial<Manifest>): Promise<void> {
    this.#manifest = { ...this.#manifest, ...change };
    await writeJson(join(this.folder, MANIFEST), this.#manifest);
  }
}

/** A manifest that can't be read counts as none: the files are verified again. */
async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), "utf8")));
  } catch {
    return undefined;
  }
}

const resolvedSchema = z.object({ commit: z.string() });

/** The commit that a revision stood for when the hub was last reached. */
export async function rememberedCommit(
  cache: string,
  source: Extract<ModelSource, { kind: "hub" }>,
): Promise<string | undefined> {
  try {
    const text = await readFile(revisionFile(cache, source), "utf8");
    return resolvedSchema.parse(JSON.parse(text)).commit;
  } catch {
    return undefined;
  }
}

export async function rememberCommit(
  cache: string,
  source: Extract<ModelSource, { kind: "hub" }>,
  commit: string,
): Promise<void> {
  await writeJson(revisionFile(cache, source), { commit });
}

/** What a revision stood for is asked anew. */
export async function forgetCommit(
  cache: string,
  source: Extract<ModelSource, { kind: "hub" }>,
): Promise<void> {
  await rm(revisionFile(cache, source), { force: true });
}

function revisionFile(cache: string, source: Extract<ModelSource, { kind: "hub" }>): string {
  return join(cache, "revisions", `${cacheName(source)}.json`);
}

/** By a rename, so that a reader sees the old text or the new one. */
async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.${crypto.randomUUID()}.tmp`;
  try {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw await storageFailed(path, error, "STEPWISE_CACHE");
  }
}
