import { z } from "zod";
import { AppError } from "../error.ts";
import { isModelPath } from "./model_path.ts";

const expectedFile = z.strictObject({
  /** Bytes. */
  size: z.int().min(0),
  /** Lower-case hex of the file's SHA-256. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const entrySchema = z.strictObject({
  /** How people name it. */
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  name: z.string().min(1),
  family: z.enum(["sd1", "sd2", "sdxl", "sd3", "flux"]),
  /** `embedded` (the folder `models/<id>` of this repository), or as for `parseModelSource`. */
  source: z.string().min(1),
  licence: z.string().min(1),
  description: z.string().min(1),
  /** False where all of this was only read of: its weights were never run here. */
  ran: z.boolean(),
  /** Of the denoiser, as its authors state it. */
  parameters: z.int().positive().optional(),
  /** Its terms have to be accepted on the hub first. */
  gated: z.boolean().optional(),
  /** Sentences on its VAE and other peculiarities. */
  notes: z.array(z.string().min(1)).optional(),
  /** Other weights in the same folder, in diffusers' naming: `fp16` for `model.fp16.onnx`. */
  variants: z.array(z.string()).optional(),
  /** What a receipt states of each set of weights, so that it can be checked without them. */
  weights: z.array(z.strictObject({
    variant: z.string().optional(),
    precision: z.enum(["float32", "float16"]),
    /** `manifestHash` of the files that these weights are used with. */
    manifest: z.string().regex(/^[0-9a-f]{64}$/),
  })).optional(),
  /** Empty where they are not known. */
  files: z.record(z.string().refine(isModelPath, "not a path inside the model"), expectedFile),
  /** How far honest machines are apart; read by `decodeTolerances`, written by `calibrate`. */
  tolerances: z.array(z.unknown()).optional(),
  /** The file of its calibration records, beside the catalogue; read by `decodeCalibration`. */
  calibration: z.string().regex(/^[a-z0-9][a-z0-9.-]*\.json$/).optional(),
  /** What a request that does not say is run with. */
  defaults: z.strictObject({
    steps: z.int().positive(),
    guidanceScale: z.number().min(0),
    /** Pixels. */
    width: z.int().positive(),
    /** Pixels. */
    height: z.int().positive(),
    /** As in a request. Absent: the scheduler of the model's own `scheduler_config.json`. */
    scheduler: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  }),
});

const catalogueSchema = z.strictObject({ models: z.array(entrySchema).min(1) });

/** What a file must be, as the catalogue or a hub states it. */
export type ExpectedFile = z.infer<typeof expectedFile>;

/** One known model: where it is, what its files must be, its recommended settings. */
export type CatalogueEntry = z.infer<typeof entrySchema>;

/** The known models; the first embedded one is what `embedded` means. */
export type Catalogue = z.infer<typeof catalogueSchema>;

/**
 * Decodes `models/catalogue.json`, which the server and the page each import in their own way.
 * @throws AppError `invalid_config` that names the entry and field.
 */
export function decodeCatalogue(json: unknown): Catalogue {
  const decoded = catalogueSchema.safeParse(json);
  if (!decoded.success) {
    throw new AppError(
      "invalid_config",
      `Cannot read the model catalogue: ${z.prettifyError(decoded.error)}`,
      { cause: decoded.error },
    );
  }
  return withUniqueIds(decoded.data);
}

function withUniqueIds(catalogue: Catalogue): Catalogue {
  const ids = catalogue.models.map((entry) => entry.id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) {
    throw new AppError("invalid_config", `Cannot read the model catalogue: id ${twice} is doubled`);
  }
  return catalogue;
}

/** The entry with this id, if the model is known. */
export function findModel(catalogue: Catalogue, id: string): CatalogueEntry | undefined {
  return catalogue.models.find((entry) => entry.id === id);
}

/** The entry that `embedded` stands for: the first whose weights are in the repository. */
export function embeddedModel(catalogue: Catalogue): CatalogueEntry | undefined {
  return catalogue.models.find((entry) => entry.source === "embedded");
}
