import { expect, test, vi } from "vitest";
import { readSubnet } from "../../browser/app/worker/explore.ts";

/** Milliseconds: the rest of the room is there at once. */
const GUARD = 20_000;

test("a piece whose image does not come keeps neither the room nor other pieces away", async () => {
  // What is given up after a time is given up at once.
  vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort(new Error("late")));
  vi.stubGlobal("fetch", (url: URL, { signal }: RequestInit = {}) => {
    if (url.pathname.endsWith("/stalled/image")) {
      return new Promise((_, reject) => signal?.aborted && reject(signal.reason));
    }
    if (url.pathname.endsWith("/image")) return Promise.resolve(new Response("picture"));
    const pieces = ["stalled", "there"].map((id) => ({ id, caption: id, creator: "c", at: 1 }));
    return Promise.resolve(Response.json({ miners: [], pieces }));
  });
  const { pieces } = await readSubnet("http://validator.example/");
  expect(pieces.map(({ id }) => id)).toEqual(["there"]);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
}, GUARD);
