import { join } from "node:path";
import { expect, test } from "vitest";
import { siteFile } from "../../../server/web/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

async function folderOf(name: string, text: string): Promise<string> {
  const folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder, name), text);
  return folder;
}

async function ask(range: string): Promise<Response | undefined> {
  return await siteFile(
    new Request("http://tab.example/icon.svg", { headers: { range } }),
    await folderOf("icon.svg", "0123456789"),
  );
}

test.each([
  ["bytes=0-", 206, "bytes 0-9/10", "0123456789"],
  ["bytes=4-6", 206, "bytes 4-6/10", "456"],
  ["bytes=9-99", 206, "bytes 9-9/10", "9"],
  ["bytes=10-", 416, "bytes */10", ""],
  ["bytes=11-12", 416, "bytes */10", ""],
])("%s of ten bytes: %i", async (range, status, contentRange, body) => {
  const response = await ask(range);
  expect(response?.status).toBe(status);
  expect(response?.headers.get("content-range")).toBe(contentRange);
  expect(await response?.text()).toBe(body);
});

test("what shrinks is sent compressed to clients that accept it, and as it is to others", async () => {
  const text = "the same again, ".repeat(1000);
  const folder = await folderOf("page.js", text);
  const get = async (headers: Record<string, string>) =>
    await siteFile(new Request("http://tab.example/page.js", { headers }), folder);
  const plain = await get({});
  expect(plain?.headers.get("content-encoding")).toBeNull();
  expect(await plain?.text()).toBe(text);
  for (const accepted of ["gzip, deflate, br", "gzip"]) {
    const small = await get({ "accept-encoding": accepted });
    expect(small?.headers.get("content-encoding")).toBe("gzip");
    expect(small?.headers.get("vary")).toBe("accept-encoding");
    const bytes = await small?.bytes() ?? new Uint8Array();
    expect(bytes.length).toBeLessThan(text.length / 10);
    const unzipped = new Response(bytes).body?.pipeThrough(new DecompressionStream("gzip"));
    expect(await new Response(unzipped).text()).toBe(text);
  }
  // A part of a file is a part of its own bytes.
  const part = await get({ "accept-encoding": "gzip", range: "bytes=4-7" });
  expect(part?.headers.get("content-encoding")).toBeNull();
  expect(await part?.text()).toBe("same");
});

test("a file that a browser has is not sent again until it changes", async () => {
  const folder = await folderOf("page.js", "older");
  const get = async (headers: Record<string, string>) =>
    await siteFile(new Request("http://tab.example/page.js", { headers }), folder);
  const tag = (await get({}))?.headers.get("etag") ?? "";
  const again = await get({ "if-none-match": tag, "accept-encoding": "gzip" });
  expect(again?.status).toBe(304);
  expect(await again?.text()).toBe("");
  await Deno.writeTextFile(join(folder, "page.js"), "a newer one");
  const newer = await get({ "if-none-match": tag });
  expect(newer?.status).toBe(200);
  expect(await newer?.text()).toBe("a newer one");
});

test("HEAD gives a file's length", async () => {
  const request = new Request("http://tab.example/icon.svg", { method: "HEAD" });
  const response = await siteFile(request, await folderOf("icon.svg", "0123456789"));
  expect(response?.headers.get("content-length")).toBe("10");
  expect(response?.body).toBeNull();
});

test("an address that no file can have is not there, and no mistake of ours", async () => {
  const request = new Request(`http://tab.example/${"a".repeat(10_000)}`);
  expect(await siteFile(request, await folderOf("a", "a"))).toBeUndefined();
});
