import { z } from "zod";
import { AppError, type ErrorCode } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";

/** Characters of an SS58 address at most. */
export const MAX_ADDRESS = 64;

/** An SS58 address; the reader checks whether it is one. */
export const addressText = z.string().max(MAX_ADDRESS);

/** Opens the steps of one receipt for anybody who has it. */
export const openingToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "not an opening token");

/** Fields of a request, as `encodeRequest` writes them; checked with the model's defaults. */
export const requestFields = z.record(z.string(), z.unknown())
  .meta({ $ref: "#/components/schemas/GenerationRequest" });

/** @throws AppError of the code, naming the first field that is wrong, its value and the range. */
export function decodeMessage<T>(
  schema: z.ZodType<T>,
  json: unknown,
  doing: string,
  code: ErrorCode,
): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new AppError(code, `Cannot ${doing}: ${issueSentence(issue, json)}`, {
    ...{ cause: result.error, field: issue.path.join(".") },
  });
}
