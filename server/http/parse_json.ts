import { parseJsonText } from "../../core/json_text.ts";
import { AppError } from "../../core/error.ts";

/** @throws AppError `json_invalid`. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new AppError("json_invalid", "Cannot take the request: it is not JSON in UTF-8", {
      cause,
    });
  }
}
