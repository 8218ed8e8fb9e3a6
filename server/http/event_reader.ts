import { EventSourceParserStream } from "eventsource-parser/stream";
import { parseJsonText } from "../../core/json_text.ts";

/** What is read of another server's events, at most. */
export interface EventLimits {
  /** Characters of one event. */
  readonly event: number;
  /** Bytes of all of them; without it only each is bounded. */
  readonly total?: number;
}

/** An event of another server. */
export interface ReadEvent {
  readonly event: string | undefined;
  readonly json: unknown;
}

/**
 * The events of an answer of `text/event-stream`, one at a time, whatever its server sends.
 * @throws Error when it is longer than its limits; SyntaxError for data that is not JSON.
 */
export async function* readEvents(
  { body }: Pick<Response, "body">,
  { event: maxBufferSize, total = Infinity }: EventLimits,
): AsyncGenerator<ReadEvent> {
  if (!body) return;
  const events = body.pipeThrough(upTo(total)).pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize }));
  for await (const { event, data } of events) yield { event, json: parseJsonText(data) };
}

function upTo(
  max: number,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      length += chunk.length;
      if (length > max) throw new Error(`its events have more than ${max} bytes`);
      controller.enqueue(chunk);
    },
  });
}
