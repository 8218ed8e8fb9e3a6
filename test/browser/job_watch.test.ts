import { beforeEach, expect, test, vi } from "vitest";
import type { OrderEvent } from "../../browser/app/api/mod.ts";
import { watchJob } from "../../browser/app/worker/job_watch.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../fixtures/receipt.ts";

const ACCESS = { url: "http://validator.example/", key: "k" };
const QUEUED = { id: 1, name: "queued", data: { position: 2 } };
const DONE = { id: 3, name: "done", data: {} };
const receipt = await inventedReceipt(openHotkey("11".repeat(32)), SMALL_REQUEST);

type Answer = () => Response | Promise<Response>;

/** What a validator answers to the connections for a job's events, in turn; the last again and again. */
let connections: Answer[];
/** And to who asks for an image's file. */
let files: Answer[];
/** What each connection said that it had seen. */
let seen: (string | null)[];

beforeEach(() => {
  [connections, files, seen] = [[], [() => new Response(SMALL_IMAGE)], []];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit = {}) => {
    if (url.pathname.endsWith("/images/0")) return await next(files)();
    if (!url.pathname.endsWith("/events")) {
      return Response.json({ images: [{ n: 0, state: "done", receipt }] });
    }
    seen.push(new Headers(init.headers).get("last-event-id"));
    return await next(connections)();
  });
  return () => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  };
});

function next(answers: Answer[]): Answer {
  const [first] = answers;
  if (answers.length > 1) answers.shift();
  return first;
}

/** As validators do: what was seen is not sent again. */
function events(...all: readonly (typeof QUEUED | typeof DONE)[]): Answer {
  return () => {
    const unseen = all.filter(({ id }) => id > Number(seen.at(-1)));
    const text = unseen.map(({ id, name, data }) =>
      `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
    );
    return new Response(text.join(""));
  };
}

function cut(): Promise<Response> {
  return Promise.reject(new TypeError("Failed to fetch"));
}

/** Watches until it ends, however long the pauses are. @returns its events, and its error. */
async function watched(): Promise<{ kinds: string[]; error: unknown }> {
  const got: OrderEvent[] = [];
  let end: { error: unknown } | undefined;
  void watchJob(ACCESS, "job_1", (event) => got.push(event)).then(
    () => end = { error: undefined },
    (error: unknown) => end = { error },
  );
  await vi.waitUntil(async () => {
    await vi.advanceTimersByTimeAsync(1000);
    return end;
  }, { interval: 0, timeout: 60_000 });
  return { kinds: got.map(({ kind }) => kind), error: end?.error };
}

test("an image whose file did not come at the job's end is fetched by the next connection", async () => {
  connections = [events(QUEUED, DONE)];
  files.unshift(() => new Response("", { status: 503 }));
  expect(await watched()).toEqual({ kinds: ["queued", "made"], error: undefined });
  // The end was not taken, so it is sent again.
  expect(seen).toEqual([null, "1"]);
});

test("events that end without one are given up, and not asked for without end", async () => {
  connections = [events()];
  expect(await watched()).toMatchObject({ kinds: [], error: { code: "opening_withheld" } });
  expect(seen).toHaveLength(8);
});

test("a connection that brought an event before it was cut begins the tries anew", async () => {
  const broken = () => {
    let sent = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent) return controller.error(new TypeError("network error"));
        sent = true;
        controller.enqueue(new TextEncoder().encode("id: 1\nevent: queued\ndata: {}\n\n"));
      },
    });
    return new Response(body);
  };
  const cuts = Array<Answer>(7).fill(cut);
  connections = [...cuts, broken, ...cuts, events(DONE)];
  expect(await watched()).toEqual({ kinds: ["queued", "made"], error: undefined });
  expect(seen).toHaveLength(16);
});

test("a stream on which nothing comes any more is opened anew", async () => {
  connections = [() => new Response(new ReadableStream()), events(DONE)];
  expect(await watched()).toEqual({ kinds: ["made"], error: undefined });
});

test.each([
  ["has no such job", 404, { code: "job_not_found" }, "job_not_found", 1],
  ["is not up, and something else answers", 404, { code: "not_found" }, "opening_withheld", 8],
  ["does not know the key", 401, { code: "request_unsigned" }, "opening_withheld", 1],
  ["restarts", 503, { code: "not_ready" }, "opening_withheld", 8],
])("where the validator %s", async (_, status, error, code, tries) => {
  connections = [() => Response.json({ error }, { status })];
  expect(await watched()).toMatchObject({ error: { code } });
  expect(seen).toHaveLength(tries);
});
