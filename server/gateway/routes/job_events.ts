import type { Context } from "hono";
import { EVENT_STREAM } from "../../http/mod.ts";
import type { JobEvent, Watcher } from "../jobs/mod.ts";
import { imageJson, jobJson, type JobView, secondsOf } from "./job_json.ts";

/** Milliseconds: less than the 60 s after which proxies give up a silent stream. */
const HEARTBEAT_MS = 15_000;
/** Milliseconds after which a client that was cut off asks again. */
const RETRY_MS = 2000;
const HEARTBEAT = new TextEncoder().encode(":\n\n");

/** What a watcher reads, as `text/event-stream`. */
export function eventsOf(context: Context, watcher: Watcher, view: JobView): Response {
  let heart: ReturnType<typeof setInterval> | undefined;
  const leave = () => {
    clearInterval(heart);
    watcher[Symbol.dispose]();
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`retry: ${RETRY_MS}\n\n`));
      heart = setInterval(() => controller.enqueue(HEARTBEAT), HEARTBEAT_MS);
    },
    async pull(controller) {
      const event = await watcher.next();
      if (event) return controller.enqueue(encoded(event, view));
      leave();
      controller.close();
    },
    cancel: leave,
  });
  context.req.raw.signal.addEventListener("abort", leave, { once: true });
  // Or nginx sends all events at once, when the last is there.
  const headers = { "content-type": EVENT_STREAM, "x-accel-buffering": "no" };
  return new Response(body, { headers });
}

/** An event is written once, however many read it. */
const written = new WeakMap<JobEvent, Uint8Array>();

function encoded(event: JobEvent, view: JobView): Uint8Array {
  const known = written.get(event);
  if (known) return known;
  const { name, data } = shown(event, view);
  const text = `id: ${event.at}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const bytes = new TextEncoder().encode(text);
  written.set(event, bytes);
  return bytes;
}

function shown(event: JobEvent, view: JobView): { readonly name: string; readonly data: unknown } {
  switch (event.type) {
    case "queued": {
      const { position, waitMs } = event.place;
      return { name: "queued", data: { position, waitSeconds: secondsOf(waitMs) } };
    }
    case "progress":
      return { name: "progress", data: { image: event.image, ...event.progress } };
    case "image":
      return { name: "image", data: imageJson(event.job, event.image, view, false) };
    case "end":
      return { name: event.job.state, data: jobJson(event.job, view) };
  }
}
