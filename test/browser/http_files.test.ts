import { afterEach, expect, test, vi } from "vitest";
import { HttpFiles } from "../../browser/engine/mod.ts";

const CONTENT = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);

/** A model of one file; `stated` is the size that its description states. */
function served(stated = CONTENT.length) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
    if (from === undefined) return new Response(CONTENT);
    return new Response(CONTENT.slice(Number(from), Number(to) + 1), { status: 206 });
  });
  const files = new HttpFiles({
    name: "tiny",
    location: "there",
    url: `http://127.0.0.1:${server.addr.port}/`,
    sizes: { "unet/model.onnx_data": stated },
  });
  return { files, [Symbol.asyncDispose]: () => server.shutdown() };
}

afterEach(() => vi.restoreAllMocks());

/** As Chromium does of 2,047 MiB and more. */
function refuseArrayBuffers() {
  vi.spyOn(Response.prototype, "arrayBuffer").mockRejectedValue(new TypeError("Failed to fetch"));
}

test("a file comes as a stream, which Chromium has of any size", async () => {
  refuseArrayBuffers();
  await using there = served();
  expect(await there.files.bytes("unet/model.onnx_data")).toEqual(CONTENT);
  const range = { start: 1000, end: 200_000 };
  expect(await there.files.bytes("unet/model.onnx_data", range)).toEqual(
    CONTENT.slice(1000, 200_000),
  );
  const past = { start: 299_990, end: 400_000 };
  expect(await there.files.bytes("unet/model.onnx_data", past)).toEqual(CONTENT.slice(299_990));
});

test.each([
  ["shorter", CONTENT.length + 1, /ended after 300000 of 300001 bytes/],
  ["longer", CONTENT.length - 1, /more than 299999 bytes/],
])("a file that is %s than its model says is refused", async (_, stated, message) => {
  await using there = served(stated);
  await expect(there.files.bytes("unet/model.onnx_data")).rejects.toMatchObject({
    code: "download_failed",
    message: expect.stringMatching(message),
  });
});
