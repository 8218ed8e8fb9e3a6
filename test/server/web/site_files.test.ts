import { join } from "node:path";
import { expect, test } from "vitest";
import { siteFile } from "../../../server/web/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

async function ask(range: string): Promise<Response | undefined> {
  const folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder, "icon.svg"), "0123456789");
  return await siteFile(
    new Request("http://tab.example/icon.svg", { headers: { range } }),
    folder,
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
