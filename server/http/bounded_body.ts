import { AppError } from "../../core/error.ts";

/**
 * A body up to its limit, read no further than that whatever its headers said.
 * @throws AppError `request_too_large`.
 */
export async function readBody(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > most) {
    await request.body?.cancel();
    throw tooLarge(most);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function tooLarge(most: number): AppError {
  return new AppError(
    "request_too_large",
    `Cannot take the request: its body has more than ${most} bytes`,
  );
}
