import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { errorResponse } from "./error_response.ts";

/** The media type of events. */
export const EVENT_STREAM = "text/event-stream";

/** Sends an event; its data may still be a promise. */
export type Emit = (event: string, data: unknown) => void;

/** Milliseconds: less than the 60 s after which proxies give up a silent stream. */
const HEARTBEAT_MS = 15_000;

/**
 * Work as `text/event-stream`: the events that it emits, and in the end `done` with its result or
 * `error` with the answer that a refusal would have had. What is refused before the first event,
 * such as for want of room, is answered with its status like any refusal.
 * @param run gets a signal that aborts when the caller has left.
 * @param failed is called with our own mistakes.
 */
export async function eventStream<T>(
  context: Context,
  run: (emit: Emit, signal: AbortSignal) => Promise<T>,
  failed: (error: unknown) => void,
): Promise<Response> {
  const opened = Promise.withResolvers<SSEStreamingApi>();
  const begun = Promise.withResolvers<void>();
  // Events leave in the order they were emitted, and all of them before the stream ends.
  let sent: Promise<void> = Promise.resolve();
  const emit: Emit = (event, data) => {
    begun.resolve();
    sent = sent.then(async () => {
      const stream = await opened.promise;
      await stream.writeSSE({ event, data: JSON.stringify(await data) });
    });
  };
  const left = new AbortController();
  const result = run(emit, AbortSignal.any([left.signal, context.req.raw.signal]));
  await Promise.race([begun.promise, result]);
  // Or nginx sends all events at once, when the last is there.
  context.header("x-accel-buffering", "no");
  return streamSSE(context, async (stream) => {
    stream.onAbort(() => left.abort());
    opened.resolve(stream);
    const heart = setInterval(() => void stream.write(":\n\n"), HEARTBEAT_MS);
    try {
      emit("done", await result);
    } catch (error) {
      emit("error", errorResponse(error, failed).json());
    }
    await sent.finally(() => clearInterval(heart));
  });
}
