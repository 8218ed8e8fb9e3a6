import { expect, test } from "vitest";
import { ChromeServer } from "../../../server/compute/chrome_server.ts";
import { openModel } from "../../../server/models/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { writeTinySd } from "../../fixtures/tiny_sd.ts";

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, headers: response.headers, bytes: await response.bytes() };
}

test("ChromeServer serves an isolated page, onnxruntime, and models behind a secret", async () => {
  const folder = await temporaryFolder();
  await writeTinySd(folder);
  await using server = await ChromeServer.start();
  using visit = server.visit();
  const { hostname, origin } = new URL(visit.url);
  expect(hostname).toBe("127.0.0.1");

  const page = await get(visit.url);
  expect(page.status).toBe(200);
  expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(page.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  const wasm = await get(`${origin}/ort/ort-wasm-simd-threaded.asyncify.wasm`);
  expect(wasm.headers.get("content-type")).toBe("application/wasm");
  expect(wasm.bytes.length).toBeGreaterThan(1e6);

  const expected = await Deno.readFile(`${folder}/unet/model.onnx`);
  const served = server.serve(await openModel(folder));
  const { url, sizes } = served.model;
  expect(sizes["unet/model.onnx"]).toBe(expected.length);
  expect((await get(`${url}unet/model.onnx`)).bytes).toEqual(expected);
  const part = await get(`${url}unet/model.onnx`, { range: "bytes=10-99" });
  expect(part.status).toBe(206);
  expect(part.headers.get("content-range")).toBe(`bytes 10-99/${expected.length}`);
  expect(part.bytes).toEqual(expected.slice(10, 100));

  for (
    const path of [
      "/models/unet/model.onnx",
      "/models/0000/unet/model.onnx",
      "/ort/..%2F..%2Fpackage.json",
      "/socket?token=wrong",
      new URL(`${url}..%2Fsecret`).pathname,
    ]
  ) expect((await get(origin + path)).status, path).toBe(404);
  served[Symbol.dispose]();
  expect((await get(`${url}unet/model.onnx`)).status).toBe(404);
});
