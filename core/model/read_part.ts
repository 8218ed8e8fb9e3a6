import type { z } from "zod";
import { AppError } from "../error.ts";
import { type ModelFiles, readJson } from "./model_files.ts";
import { configsOf } from "./network_files.ts";
import { withoutNulls } from "./own_scheduler.ts";

/**
 * A part's `config.json`, wherever an export keeps it.
 * @returns the defaults, and no path, where there is no such file.
 * @throws AppError `model_invalid` naming file and field.
 */
export async function readPart<T>(
  files: ModelFiles,
  part: string,
  schema: z.ZodType<T>,
): Promise<{ readonly path?: string; readonly config: T }> {
  const path = configsOf(part).find((candidate) => files.has(candidate));
  if (path === undefined) return { config: schema.parse({}) };
  const json = await readJson(files, path);
  const object = typeof json === "object" && json !== null && !Array.isArray(json);
  const result = schema.safeParse(
    object ? withoutNulls(json as Readonly<Record<string, unknown>>) : json,
  );
  if (result.success) return { path, config: result.data };
  const { path: field, message } = result.error.issues[0];
  throw invalidConfig(files, path, `${field.join(".") || "it"}: ${message}`);
}

/** The error for a part's configuration that cannot be used. */
export function invalidConfig(files: ModelFiles, path: string, why: string): AppError {
  return new AppError("model_invalid", `Cannot use ${path} of ${files.name}: ${why}`);
}
