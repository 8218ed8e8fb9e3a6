import { readAtMost } from "../../core/bounded_body.ts";
import { AppError } from "../../core/error.ts";

/** Milliseconds that a body has: no slower than the age that a signed request may have. */
const BODY_MS = 8000;

/**
 * A request's body up to its limit, and no later than its deadline.
 * @throws AppError `request_too_large`, `request_late`; `invalid_request` for one that is compressed:
 * what is signed, and bounded, is what is read.
 */
export async function readBody(
  request: Request,
  max: number,
  withinMs = BODY_MS,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") {
    throw new AppError(
      "invalid_request",
      `Cannot take the request: its content-encoding is ${encoding}; send it as it is`,
    );
  }
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLate(withinMs)), withinMs);
  try {
    const body = isWithin(request, max)
      ? await Promise.race([request.bytes(), aborted(late.signal)])
      : await readAtMost(request, max, late.signal);
    if (body) return body;
  } finally {
    clearTimeout(timer);
  }
  throw new AppError(
    "request_too_large",
    `Cannot take the request: its body has more than ${max} bytes`,
  );
}

/**
 * Whether the request declares a length within the limit, to which the server holds it: read in one piece it costs a
 * fifth less of a request than as a stream.
 */
function isWithin({ headers }: Request, max: number): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= max;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function tooLate(withinMs: number): AppError {
  return new AppError(
    "request_late",
    `Cannot take the request: its body is not here after ${withinMs / 1000} s`,
  );
}
