import { AppError } from "../../core/error.ts";
import { type Message, readAtMost } from "../../core/protocol/mod.ts";

/**
 * A request's body up to its limit.
 * @throws AppError `request_too_large`.
 */
export async function readBody(request: Message, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const body = await readAtMost(request, most);
  if (body) return body;
  throw new AppError(
    "request_too_large",
    `Cannot take the request: its body has more than ${most} bytes`,
  );
}
