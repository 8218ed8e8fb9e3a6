/// <reference path="./private_files.d.ts" />
import { beforeEach, expect, test, vi } from "vitest";
import { AppError } from "../../core/error.ts";
import { readLayout } from "../../core/model/mod.ts";
import { openKnownModel } from "../../server/models/mod.ts";
import { modelOf } from "../../browser/app/worker/catalogue.ts";
import { openRemoteModel } from "../../browser/app/worker/remote_models.ts";
import { RemoteFiles } from "../../browser/app/worker/remote_files.ts";

const FOLDER = new URL("../golden/pipelines/pipe-sd1", import.meta.url).pathname;

/** A file server as a page of another origin sees it: where a range starts is hidden. */
const fetched = vi.fn((url: string, init: RequestInit = {}) => {
  const { pathname } = new URL(url);
  const bytes = readIfThere(`${FOLDER}${pathname.replace(/^\/\w+/, "")}`);
  if (!bytes) return Promise.resolve(new Response(null, { status: 404 }));
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init.headers).get("range") ?? "") ??
    [];
  const body = end ? bytes.slice(Number(start), Number(end) + 1) : bytes;
  return Promise.resolve(
    new Response(init.method === "HEAD" ? null : body, {
      status: end ? 206 : 200,
      headers: { "content-length": String(body.length) },
    }),
  );
});

function readIfThere(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
  return () => vi.unstubAllGlobals();
});

const { signal } = new AbortController();

test("a model is opened once, with and without the slash at the end of its address", async () => {
  const model = await openRemoteModel("https://files.example/once", signal);
  const asked = fetched.mock.calls.length;
  expect(asked).toBeGreaterThan(0);
  expect(await openRemoteModel("https://files.example/once", signal)).toBe(model);
  expect(await openRemoteModel("https://files.example/once/", signal)).toBe(model);
  expect(fetched).toHaveBeenCalledTimes(asked);
  expect(modelOf({ id: "https://files.example/once/" })).toBe(model);
  expect(modelOf({ id: "https://files.example/once/", variant: "fp16" })).toBeUndefined();
});

test("a receipt states of it what it states of the same folder on a disk", async () => {
  const model = await openRemoteModel("https://files.example/facts/", signal);
  const local = await (await openKnownModel(FOLDER)).facts();
  expect(await model.facts()).toEqual({ ...local, id: "https://files.example/facts/" });
});

test("bytes and progress are counted, and what is at a file's start is fetched once", async () => {
  const files = await RemoteFiles.open("https://files.example/counted/", signal);
  const path = "unet/diffusion_pytorch_model.safetensors";
  const onBytes = vi.fn();
  files.download = { onBytes };
  const before = files.fetched;
  const range = { start: 8, end: 1008 };
  expect(await files.bytes(path, range)).toEqual(await files.bytes(path, range));
  expect(files.fetched - before).toBe(1000);
  expect(onBytes).toHaveBeenLastCalledWith(path, 1000, 1000);
  expect((await readLayout(files)).paths).toContain(path);
});

test("a run that is cancelled ends what is being fetched", async () => {
  const files = await RemoteFiles.open("https://files.example/cancelled/", signal);
  const run = new AbortController();
  files.download = { signal: run.signal };
  fetched.mockResolvedValueOnce(new Response(new ReadableStream(), { status: 206 }));
  const reading = files.bytes("unet/diffusion_pytorch_model.safetensors", { start: 0, end: 8 });
  run.abort(new AppError("cancelled", "Cannot go on: it was cancelled"));
  await expect(reading).rejects.toMatchObject({ code: "cancelled" });
});

test("a server that does not let this page read it is said to be one", async () => {
  vi.useFakeTimers();
  fetched.mockImplementation(() => Promise.reject(new TypeError("Failed to fetch")));
  const failed = vi.fn();
  openRemoteModel("https://files.example/closed", signal).catch(failed);
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({
    code: "download_failed",
    message: expect.stringMatching(/Failed to fetch: the server is down, or .*\(CORS\)/),
  }));
});
