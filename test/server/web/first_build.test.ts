import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { sitePage } from "../../../server/web/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

/** Asks a server whose pages are in a folder that it may build. */
async function visiting(build: (site: string) => Promise<void>) {
  const own = await temporaryFolder();
  const visit = (path: string, init?: RequestInit, site = own) =>
    sitePage(new Request(`http://tab.example${path}`, init), site, { own, build });
  return { own, visit };
}

test("the first visitor has the pages built, once, and is shown that they are coming", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked: string[] = [];
  const { own, visit } = await visiting(async (site) => {
    asked.push(site);
    await promise;
    await Deno.writeTextFile(join(site, "index.html"), "the page");
  });
  for (const path of ["/", "/index.html", "/bench.html"]) {
    const coming = await visit(path);
    expect(coming?.status).toBe(503);
    expect(coming?.headers.get("content-type")).toMatch(/^text\/html/);
    expect(await coming?.text()).toMatch(/are being built[^]*location.reload\(\)/);
  }
  expect(asked).toEqual([own]);
  resolve();
  expect(await vi.waitUntil(async () => await (await visit("/"))?.text() === "the page")).toBe(
    true,
  );
});

test("where they cannot be built, visitors read which command shows why", async () => {
  const { visit } = await visiting(() => Promise.reject(new Error("a read-only disk")));
  await visit("/");
  const answer = await visit("/");
  expect(answer?.status).toBe(503);
  const html = await answer?.text();
  expect(html).toContain("deno task build");
  expect(html).not.toContain("reload");
});

test("only what is a page, and in our own folder, is built", async () => {
  const { visit } = await visiting(() => Promise.reject(new Error("it was built")));
  expect(await visit("/v1/nothing")).toBeUndefined();
  expect(await visit("/", { method: "POST" })).toBeUndefined();
  expect(await visit("/", {}, await temporaryFolder())).toBeUndefined();
});
