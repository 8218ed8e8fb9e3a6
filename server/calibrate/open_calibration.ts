import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import { parseJsonText } from "../../core/json_text.ts";
import type { CatalogueEntry, Tolerance } from "../../core/model/mod.ts";
import {
  type CalibrationRecord,
  decodeCalibration,
  type SignedCalibration,
  trustedRecords,
} from "../../core/verifier/mod.ts";

const MODELS = join(import.meta.dirname ?? ".", "../../models");

/** A file of records, and SS58 of those whose records are believed. */
export interface GivenCalibration {
  readonly file: string;
  readonly trusted: readonly string[];
}

/**
 * What honest machines are like: records that came with the catalogue, and those of hotkeys that the
 * operator trusts. Left out are those of errors over other tolerances than the model's.
 * @throws AppError `invalid_config` for a file that is none, `signature_invalid`.
 */
export async function openCalibration(
  entry: Pick<CatalogueEntry, "calibration"> | undefined,
  given: GivenCalibration | undefined,
  tolerances: readonly Tolerance[],
): Promise<CalibrationRecord[]> {
  const own = entry?.calibration === undefined
    ? []
    : (await readRecords(join(MODELS, entry.calibration))).map(({ record }) => record);
  const others = given ? trustedRecords(await readRecords(given.file), given.trusted) : [];
  const current = new Set(tolerances.map((tolerance) => JSON.stringify(tolerance)));
  return [...own, ...others].filter(({ tolerance }) => current.has(JSON.stringify(tolerance)));
}

async function readRecords(path: string): Promise<SignedCalibration[]> {
  let json: unknown;
  try {
    json = parseJsonText(await readFile(path, "utf8"));
  } catch (cause) {
    throw new AppError(
      "invalid_config",
      `Cannot read the calibration records of ${path}: ${reason(cause)}`,
      { cause },
    );
  }
  return decodeCalibration(json);
}
