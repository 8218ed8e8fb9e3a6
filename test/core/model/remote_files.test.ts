import { expect, test, vi } from "vitest";
import { RemoteFiles } from "../../../core/model/remote_files.ts";
import type { Transport } from "../../../core/model/transport.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const FILE = { path: "unet/weights.safetensors", url: "https://files.example/w", size: 1000 };

/** Answers a request for bytes 100 to 399. */
function open(answer: () => Response, transport: Partial<Transport> = {}) {
  const fetch = vi.fn(() => Promise.resolve(answer()));
  const files = new RemoteFiles({ name: "served" }, [FILE], {
    ...{ fetch, attempts: 2, backoffMs: 1 },
    ...transport,
  });
  const read = () => files.bytes(FILE.path, { start: 100, end: 400 });
  return { fetch, read };
}

function answerOf(bytes: BodyInit, status: number, range?: string): Response {
  return new Response(bytes, { status, headers: range ? { "content-range": range } : {} });
}

test("a range that takes long is not given up while bytes come", async () => {
  vi.useFakeTimers();
  const { read, fetch } = open(() => {
    let sent = 100;
    const pull = async (controller: ReadableStreamDefaultController) => {
      await new Promise((resolve) => setTimeout(resolve, 800));
      controller.enqueue(BYTES.subarray(sent, sent += 100));
      if (sent === 400) controller.close();
    };
    return answerOf(new ReadableStream({ pull }), 206, "bytes 100-399/1000");
  }, { stallMs: 1000 });
  try {
    const reading = read();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await reading).toEqual(BYTES.slice(100, 400));
    expect(fetch).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});

test("a range whose place a browser hides from a page is the one asked for", async () => {
  const { read } = open(() => answerOf(BYTES.slice(100, 400), 206));
  expect(await read()).toEqual(BYTES.slice(100, 400));
});

test.each([
  ["another range", () => answerOf(BYTES.slice(0, 300), 206, "bytes 0-299/1000")],
  ["the whole file", () => answerOf(BYTES, 200)],
  ["more than was asked for", () => answerOf(BYTES.slice(100, 401), 206, "bytes 100-400/1000")],
])("%s is refused at once", async (_, answer) => {
  const { read, fetch } = open(answer);
  await expect(read()).rejects.toMatchObject({
    code: "download_failed",
    message: expect.stringMatching(/^Cannot read unet\/weights.safetensors .*Download it/),
  });
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("a range that ends early is asked for again", async () => {
  const { read, fetch } = open(() => answerOf(BYTES.slice(100, 300), 206, "bytes 100-399/1000"));
  await expect(read()).rejects.toThrow(/200 of 300 bytes came/);
  expect(fetch).toHaveBeenCalledTimes(2);
});
