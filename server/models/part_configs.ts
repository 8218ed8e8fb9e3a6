import { AppError } from "../../core/error.ts";
import { readJson } from "../../core/model/mod.ts";
import { FolderFiles } from "./folder_files.ts";

/** Which file says what of a part. */
const CONFIG = /^(\w+)\/(?:config|scheduler_config)\.json$/;

/** What a folder says of a model whose weights are in one file. */
export interface PartConfigs {
  /** `config.json` by part, and `scheduler`. */
  readonly configs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Files of its tokenizers. */
  readonly tokenizers: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Every `config.json` of a folder in diffusers' layout, by part, `scheduler_config.json` and the tokenizers.
 * @throws AppError `model_not_found` when there are none, `model_invalid`.
 */
export async function readConfigs(folder: string): Promise<PartConfigs> {
  const files = await FolderFiles.open({ name: folder, location: folder }).catch((cause) => {
    throw new AppError("model_not_found", `Cannot read the configurations in ${folder}`, { cause });
  });
  const configs: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const path of files.paths) {
    const [, part] = CONFIG.exec(path) ?? [];
    if (part) configs[part] = Object(await readJson(files, path));
  }
  const vocabularies = files.paths.filter((path) => /^tokenizer(_\d)?\//.test(path));
  const tokenizers = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const path of vocabularies) tokenizers.set(path, await files.bytes(path));
  if (Object.keys(configs).length > 0) return { configs, tokenizers };
  throw new AppError(
    "model_not_found",
    `Cannot read the configurations in ${folder}: it has no part's config.json`,
  );
}
