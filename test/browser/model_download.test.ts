/// <reference path="./private_files.d.ts" />
import { beforeEach, expect, test, vi } from "vitest";
import { AppError } from "../../core/error.ts";
import { ownModel } from "../../browser/app/worker/catalogue.ts";
import { Engines } from "../../browser/app/worker/engines.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";

const CONFIG = "scheduler/scheduler_config.json";

/** A private file system with nothing in it, and no room. */
const EMPTY_FOLDER = {
  getDirectoryHandle: () => Promise.resolve(EMPTY_FOLDER),
  getFileHandle: () => Promise.reject(new Error("there is none")),
};

/** A server that sends no byte of the first file it is asked for, and has none of the others. */
const fetched = vi.fn();

beforeEach(() => {
  fetched.mockReset().mockResolvedValue(new Response(null, { status: 404 }))
    .mockResolvedValueOnce(new Response(new ReadableStream()));
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("location", new URL("http://tab.test/"));
  vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve(EMPTY_FOLDER) } });
  return () => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  };
});

test("a download without a byte for 60 s fails, and says that another try resumes it", async () => {
  vi.useFakeTimers();
  const failed = vi.fn();
  ownModel().files.text(CONFIG).catch(failed);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(failed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({
    code: "download_failed",
    message: expect.stringMatching(/sent nothing for 60 s; another try goes on from there/),
  }));
});

test("a run that joins the opening of a cancelled one is not cancelled with it", async () => {
  const engines = new Engines();
  const [first, second] = [new AbortController(), new AbortController()];
  const emit = () => {};
  const model = ownModel();
  const cancelled = engines.open(model, "cpu", { signal: first.signal, emit });
  const joined = engines.open(ownModel(), "cpu", { signal: second.signal, emit });
  await vi.waitUntil(() => fetched.mock.calls.length > 0, PATIENCE_MS);
  first.abort(new AppError("cancelled", "Cannot go on: it was cancelled"));
  await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
  await expect(joined).rejects.toMatchObject({ code: "download_failed" });
  // A device that is lost in a later run reads these files again: nothing is left of the first.
  expect(model.files.download).toEqual({});
});
