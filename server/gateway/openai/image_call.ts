import { z } from "zod";
import { AppError } from "../../../core/error.ts";
import { issueSentence, withoutNulls } from "../../../core/json_decoding.ts";
import type { ImageFormat } from "../../../core/image/mod.ts";
import { REQUEST_LIMITS } from "../../../core/request_limits.ts";

const text = z.string().max(REQUEST_LIMITS.prompt);
const number = z.coerce.number();
/** Forms have text alone. */
const flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);

/** What is not named is ignored: clients send all kinds of fields. */
const call = z.object({
  prompt: text.min(1),
  model: z.string().max(500).optional(),
  n: number.int().min(1).max(10).default(1),
  size: z.string().regex(/^(auto|\d{1,5}x\d{1,5})$/, "not auto, nor such as 512x512").default(
    "auto",
  ),
  quality: z.string().max(20).default("auto"),
  response_format: z.enum(["b64_json", "url"]).default("b64_json"),
  output_format: z.enum(["png", "jpeg", "webp"]).default("png"),
  background: z.enum(["auto", "opaque", "transparent"]).default("auto"),
  stream: flag.default(false),
  partial_images: number.int().min(0).max(3).default(0),
  // Of ours: OpenAI has no such fields, and its clients pass them on.
  negative_prompt: text.optional(),
  seed: z.union([z.number(), z.string()]).optional(),
  steps: number.optional(),
  guidance_scale: number.optional(),
  strength: number.optional(),
});

/** A call of images as OpenAI has it, with fields of ours besides. */
export interface OpenAiCall extends Omit<z.infer<typeof call>, "output_format"> {
  readonly output_format: ImageFormat;
}

/** As JSON Schema. */
export function openAiCallSchema(): unknown {
  return z.toJSONSchema(call, { io: "input", unrepresentable: "any" });
}

/** @throws AppError `invalid_request` naming the field. */
export function decodeOpenAiCall(json: unknown): OpenAiCall {
  const result = call.safeParse(withoutNulls(json));
  if (!result.success) {
    const [issue] = result.error.issues;
    const why = issueSentence(issue, json);
    throw new AppError("invalid_request", `Cannot generate: ${why}`, {
      field: String(issue.path[0] ?? ""),
    });
  }
  if (result.data.background !== "transparent") return result.data;
  throw new AppError(
    "invalid_request",
    "Cannot generate: background is transparent, and images here are opaque",
    { field: "background" },
  );
}
