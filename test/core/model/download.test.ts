import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  downloadFiles,
  type DownloadOptions,
  type ModelStore,
  type PartialFile,
} from "../../../core/model/download.ts";
import type { ModelProgress } from "../../../core/model/model_progress.ts";
import type { RemoteFile } from "../../../core/model/remote_folder.ts";
import type { Fetch } from "../../../core/model/transport.ts";
import { noise } from "../../fixtures/tiny_folder.ts";

const BODY = noise(1000, 7);
const SHA256 = createHash("sha256").update(BODY).digest("hex");
const FILE: RemoteFile = { path: "a.bin", url: "http://server/a.bin" };

/** A store in memory: what a browser's will be like. */
class MemoryStore implements ModelStore {
  readonly files = new Map<string, Uint8Array>();
  readonly parts = new Map<string, { bytes: Uint8Array; validator?: string }>();

  open(path: string): Promise<PartialFile> {
    const { files, parts } = this;
    const part = () => parts.get(path) ?? { bytes: new Uint8Array() };
    return Promise.resolve({
      get bytes() {
        return part().bytes.length;
      },
      get validator() {
        return part().validator;
      },
      async *read() {
        yield await Promise.resolve(part().bytes);
      },
      async restart(validator?: string) {
        await Promise.resolve(parts.set(path, { bytes: new Uint8Array(), validator }));
      },
      async append(chunk: Uint8Array) {
        const { bytes, validator } = part();
        const longer = new Uint8Array([...bytes, ...chunk]);
        await Promise.resolve(parts.set(path, { bytes: longer, validator }));
      },
      async commit() {
        files.set(path, part().bytes);
        await this.discard();
      },
      async discard() {
        await Promise.resolve(parts.delete(path));
      },
      close: () => Promise.resolve(),
    });
  }
}

function optionsWith(fetch: Fetch, more: Omit<Partial<DownloadOptions>, "store"> = {}) {
  const store = new MemoryStore();
  const sha256 = () => {
    const hash = createHash("sha256");
    return { update: (bytes: Uint8Array) => hash.update(bytes), digest: () => hash.digest("hex") };
  };
  const transport = { fetch, backoffMs: 1, attempts: 3, stallMs: 60_000 };
  return { model: "tiny", transport, store, sha256, ...more };
}

/** Answers one after the other, and keeps the requests. */
function answers(...list: readonly ((request: RequestInit) => Response)[]) {
  const requests: RequestInit[] = [];
  const fetch: Fetch = (_, request = {}) => {
    requests.push(request);
    const answer = list[Math.min(requests.length, list.length) - 1];
    return Promise.resolve(answer(request));
  };
  return { fetch, requests };
}

const whole = (headers: Record<string, string> = {}) => () =>
  new Response(BODY, { headers: { "content-length": "1000", ...headers } });

const rest = (start: number, total = 1000) => () =>
  new Response(BODY.slice(start), {
    status: 206,
    headers: { "content-range": `bytes ${start}-999/${total}` },
  });

function kept(store: MemoryStore, bytes: number, validator?: string): void {
  store.parts.set(FILE.path, { bytes: BODY.slice(0, bytes), validator });
}

test("downloadFiles states size and SHA-256 of what it put into the store", async () => {
  const options = optionsWith(answers(whole()).fetch);
  expect(await downloadFiles([FILE], options)).toEqual([
    { path: "a.bin", size: 1000, sha256: SHA256 },
  ]);
  expect(options.store.files.get("a.bin")).toEqual(BODY);
});

test("downloadFiles asks for the rest of what was kept, if it is still the same file", async () => {
  const { fetch, requests } = answers(rest(400));
  const options = optionsWith(fetch);
  kept(options.store, 400, '"v1"');
  await downloadFiles([FILE], options);
  expect(requests[0].headers).toMatchObject({ range: "bytes=400-", "if-range": '"v1"' });
  expect(options.store.files.get("a.bin")).toEqual(BODY);
});

test("downloadFiles asks for nothing when all of it was kept", async () => {
  const { fetch, requests } = answers(whole());
  const options = optionsWith(fetch);
  kept(options.store, 1000);
  await downloadFiles([{ ...FILE, size: 1000, sha256: SHA256 }], options);
  expect(requests).toEqual([]);
});

test("416 for all that was kept means that it is the whole file", async () => {
  const at = () =>
    new Response(null, { status: 416, headers: { "content-range": "bytes */1000" } });
  const options = optionsWith(answers(at).fetch);
  kept(options.store, 1000, '"v1"');
  expect(await downloadFiles([FILE], options)).toMatchObject([{ sha256: SHA256 }]);
});

test("416 for anything else starts over", async () => {
  const at = () => new Response(null, { status: 416, headers: { "content-range": "bytes */300" } });
  const options = optionsWith(answers(at, whole()).fetch);
  kept(options.store, 400, '"v1"');
  expect(await downloadFiles([FILE], options)).toMatchObject([{ sha256: SHA256 }]);
});

test("a range that was not asked for starts over", async () => {
  const options = optionsWith(answers(rest(200), whole()).fetch);
  kept(options.store, 400, '"v1"');
  expect(await downloadFiles([FILE], options)).toMatchObject([{ sha256: SHA256 }]);
});

test.each([
  ["a weak etag", new Headers({ etag: 'W/"v1"' })],
  ["a compressed body", new Headers({ etag: '"v1"', "content-encoding": "gzip" })],
])("%s is nothing to resume from", async (_, headers) => {
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  const slow = () => new Response(slowBody(), { headers });
  const options = optionsWith(answers(slow).fetch, { signal: stop.signal, onProgress });
  await expect(downloadFiles([FILE], options)).rejects.toMatchObject({ code: "cancelled" });
  expect(options.store.parts.get("a.bin")).toEqual({ bytes: BODY.slice(0, 100) });
});

test.each([[999, "size is 1000, expected 999"], [2000, "size is 1000, expected 2000"]])(
  "a server that has another size than %i is not believed",
  async (size, words) => {
    const options = optionsWith(answers(whole()).fetch);
    await expect(downloadFiles([{ ...FILE, size }], options)).rejects.toThrow(words);
    expect(options.store.files.size).toBe(0);
  },
);

test("a body that outgrows its size is cut off and thrown away", async () => {
  const options = optionsWith(answers(() => new Response(BODY)).fetch);
  await expect(downloadFiles([{ ...FILE, size: 500 }], options)).rejects.toMatchObject({
    code: "download_failed",
    message: expect.stringContaining("a.bin of tiny: its size is more than 500"),
  });
  expect([options.store.files.size, options.store.parts.size]).toEqual([0, 0]);
});

test("a body of unknown size is taken to its end; totals are absent until then", async () => {
  const seen: ModelProgress[] = [];
  const onProgress = (event: ModelProgress) => seen.push(event);
  const options = optionsWith(answers(() => new Response(BODY)).fetch, { onProgress });
  await downloadFiles([FILE], options);
  expect(seen[0]).not.toHaveProperty("totalBytes");
  expect(seen.at(-1)).toMatchObject({ bytes: 1000, totalBytes: 1000, files: 1, totalFiles: 1 });
});

test("a network error is tried again, and given up with the reason", async () => {
  let calls = 0;
  const broken: Fetch = () => Promise.reject(new TypeError(`no route ${++calls}`));
  await expect(downloadFiles([FILE], optionsWith(broken))).rejects.toMatchObject({
    code: "download_failed",
    message: expect.stringMatching(/Cannot download a\.bin of tiny: no route 3\. What has come is/),
  });
});

test("404 is final", async () => {
  const { fetch, requests } = answers(() => new Response(null, { status: 404 }));
  await expect(downloadFiles([FILE], optionsWith(fetch))).rejects.toThrow(/answered 404/);
  expect(requests).toHaveLength(1);
});

test("a ring of redirects is left", async () => {
  const ring = () => new Response(null, { status: 302, headers: { location: "/again" } });
  await expect(downloadFiles([FILE], optionsWith(answers(ring).fetch))).rejects.toThrow(
    /redirects more than 10 times/,
  );
});

test("no more than `parallel` files come at a time, and one failure stops the rest", async () => {
  let now = 0;
  let max = 0;
  const asked: string[] = [];
  const fetch: Fetch = async (url) => {
    asked.push(url);
    max = Math.max(max, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
    return url.endsWith("3") ? new Response(null, { status: 404 }) : whole()();
  };
  const files = Array.from({ length: 9 }, (_, i) => ({ path: `${i}`, url: `http://server/${i}` }));
  await expect(downloadFiles(files, optionsWith(fetch, { parallel: 2 }))).rejects.toThrow(/404/);
  expect(max).toBe(2);
  expect(asked.length).toBeLessThan(6);
});

test("cancelling keeps what has come", async () => {
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  const slow = () => new Response(slowBody(), { headers: { etag: '"v1"' } });
  const options = optionsWith(answers(slow).fetch, { signal: stop.signal, onProgress });
  await expect(downloadFiles([FILE], options)).rejects.toMatchObject({ code: "cancelled" });
  expect(options.store.parts.get("a.bin")).toEqual({
    bytes: BODY.slice(0, 100),
    validator: '"v1"',
  });
});

function slowBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      controller.enqueue(BODY.slice(0, 100));
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  }, { highWaterMark: 0 });
}
