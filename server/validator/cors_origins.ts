import { AppError } from "../../core/error.ts";

/**
 * Origins whose pages may use the API.
 * @returns them in the one spelling that browsers send; `*` for any.
 * @throws AppError `invalid_request` for what is neither.
 */
export function corsOrigins(given: readonly string[]): string[] {
  return given.map((text) => {
    if (text === "*") return text;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (
      url && /^https?:$/.test(url.protocol) &&
      [url.origin, `${url.origin}/`].includes(text.toLowerCase())
    ) {
      return url.origin;
    }
    throw new AppError(
      "invalid_request",
      `Cannot start: --api.cors is ${text}, not * or an origin such as https://app.example`,
    );
  });
}
