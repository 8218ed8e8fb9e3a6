/** Bytes after which it shows whether a client takes an answer. */
const SLICE = 64 * 1024;

type Chunk = Uint8Array<ArrayBuffer>;

/**
 * An answer that is sent in slices, each when the one before has been taken: so a slow client is told
 * from one that takes nothing. Events go as they come.
 */
export async function inSlices(response: Response): Promise<Response> {
  const { body, status } = response;
  if (!body || response.headers.get("content-type")?.startsWith("text/event-stream")) {
    return response;
  }
  const reader = body.getReader();
  const first = await reader.read();
  const second = first.done ? first : await reader.read();
  const headers = new Headers(response.headers);
  const known = [first, second].flatMap(({ value }) => value ? [value] : []);
  if (second.done) {
    const length = first.value?.length ?? 0;
    headers.set("content-length", String(length));
    if (length <= SLICE) return new Response(first.value, { status, headers });
  }
  return new Response(slices(known, reader), { status, headers });
}

/** @param known chunks that were read already. */
function slices(
  known: readonly Chunk[],
  reader: ReadableStreamDefaultReader<Chunk>,
): ReadableStream<Chunk> {
  const waiting = [...known];
  return new ReadableStream({
    async pull(controller) {
      const chunk = waiting.shift() ?? (await reader.read()).value;
      if (!chunk) return controller.close();
      if (chunk.length > SLICE) waiting.unshift(chunk.subarray(SLICE));
      controller.enqueue(chunk.subarray(0, SLICE));
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
