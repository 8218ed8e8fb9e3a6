/** A thread of clients that watch a job: what they cost is not the server's. */
import { parentPort } from "node:worker_threads";

/** Whom to watch, and how many do. */
export interface WatchOrder {
  readonly url: string;
  readonly authorization: string;
  readonly watchers: number;
}

parentPort?.once("message", async ({ url, authorization, watchers }: WatchOrder) => {
  const answers = await Promise.all(
    Array.from({ length: watchers }, () => fetch(url, { headers: { authorization } })),
  );
  parentPort?.postMessage("open");
  const read = await Promise.all(answers.map(eventsOf));
  const sum = (of: "events" | "bytes") => read.reduce((total, each) => total + each[of], 0);
  parentPort?.postMessage({ events: sum("events"), bytes: sum("bytes") });
});

/** Newlines in pairs end events. */
async function eventsOf({ body }: Response): Promise<{ events: number; bytes: number }> {
  let [events, bytes, last] = [0, 0, 0];
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    for (const byte of chunk) {
      if (byte === 10 && last === 10) events++;
      last = byte;
    }
  }
  return { events, bytes };
}
