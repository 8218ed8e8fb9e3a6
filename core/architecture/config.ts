import { z } from "zod";
import { AppError } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";

/**
 * Decodes a part's `config.json`. A schema lists every field: those that shape the network, and
 * those that are taken with one value alone. What a library notes about itself (`_class_name`) is
 * left out.
 * @throws AppError `model_invalid` naming the field.
 */
export function decodeConfig<T>(className: string, schema: z.ZodType<T>, json: unknown): T {
  const config = withoutNotes(json);
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  const why = issueSentence(result.error.issues[0], config);
  throw new AppError("model_invalid", `Cannot build ${className}: ${why}`, {
    cause: result.error,
  });
}

/** A field that networks differ by, of which one value is built. */
export function only<T extends string | number | boolean | null>(value: T) {
  return z.literal(value).default(value);
}

/** A field that does not change what the network computes. */
export const noEffect: z.ZodType<unknown> = z.unknown();

export const count: z.ZodType<number> = z.int().min(1);

function withoutNotes(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([key]) => !key.startsWith("_")));
}
