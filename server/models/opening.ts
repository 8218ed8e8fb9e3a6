import process from "node:process";
import type {
  Catalogue,
  CatalogueEntry,
  FileSelection,
  ModelProgress,
  Transport,
} from "../../core/model/mod.ts";
import { hubToken } from "./hub_token.ts";
import { knownEntry, knownModels } from "./known_models.ts";
import { modelCacheFolder } from "./model_cache.ts";

/** How to open a model; all of it has defaults. */
export interface OpenModelOptions extends FileSelection {
  /** Default: `models/catalogue.json`. */
  readonly catalogue?: Catalogue;
  /** Default: `STEPWISE_CACHE`, or `stepwise/models` in the user's cache folder. */
  readonly cacheFolder?: string;
  /** Default: `HF_ENDPOINT`, or https://huggingface.co. */
  readonly hubEndpoint?: string;
  /** For private and gated models; sent to the hub only. Default: the environment's, or that of `hf auth login`. */
  readonly hubToken?: string;
  /** Hashes every file whose SHA-256 is known, also of a copy that was verified when it came. */
  readonly verify?: boolean;
  /**
   * A folder with `config.json` of parts, in diffusers' layout, of a checkpoint in one file: heads and
   * groups are in no such file, and are taken for the published models' otherwise.
   */
  readonly configs?: string;
  /** LoRAs, each a file, a folder, `hf:owner/name[/file][@revision]` or an address. */
  readonly adapters?: readonly string[];
  /** ControlNets for requests to name, each a folder, a file in one or `hf:owner/name[@revision]`. */
  readonly controls?: readonly string[];
  /** Another VAE: a folder, a file, `hf:owner/name[/file][@revision]` or the address of a file. */
  readonly vae?: string;
  /** Other waits and repeats than the defaults. */
  readonly transport?: Partial<Transport>;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
}

/** The options with every default filled in. */
export interface Opening extends OpenModelOptions {
  readonly given: string;
  readonly selection: FileSelection;
  readonly entry: CatalogueEntry | undefined;
  readonly catalogue: Catalogue;
  readonly cacheFolder: string;
  readonly hub: { readonly endpoint: string };
  readonly web: Transport;
}

export async function withDefaults(given: string, options: OpenModelOptions): Promise<Opening> {
  const { env } = process;
  const catalogue = options.catalogue ?? knownModels();
  const endpoint = options.hubEndpoint ?? (env.HF_ENDPOINT || "https://huggingface.co");
  const token = options.hubToken ?? await hubToken(env);
  const credentials = token ? { origin: new URL(endpoint).origin, token } : undefined;
  return {
    ...options,
    given,
    catalogue,
    selection: { variant: options.variant, include: options.include },
    entry: knownEntry(given, catalogue),
    cacheFolder: options.cacheFolder ?? modelCacheFolder(env),
    hub: { endpoint },
    web: { fetch, credentials, ...options.transport },
  };
}
