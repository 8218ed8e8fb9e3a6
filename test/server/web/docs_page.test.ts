import { expect, test } from "vitest";
import { SITE_FOLDER, siteFile } from "../../../server/web/mod.ts";

const get = (path: string) => siteFile(new Request(`http://gate.example${path}`), SITE_FOLDER);

test("the page of the API is made of files of this server alone, under the pages' strict policy", async () => {
  const page = await get("/docs/");
  expect(page?.headers.get("content-type")).toMatch(/^text\/html/);
  const policy = page?.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain("unsafe-inline");
  const html = await page?.text() ?? "";
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
  expect(files).toContain("swagger-ui-bundle.js");
  for (const file of files.filter((each) => !each.startsWith(".."))) {
    expect((await get(`/docs/${file}`))?.status, file).toBe(200);
  }
  // No third party is named, and nothing is inline.
  expect(html).not.toMatch(/\shref="http|\ssrc="http|<style|<script>|\son\w+=|style=/);
});

test("without its last slash it leads there; nothing else of the folders is served", async () => {
  const found = await get("/docs");
  expect([found?.status, found?.headers.get("location")]).toEqual([308, "docs/"]);
  expect(await get("/docs/package.json")).toBeUndefined();
  expect(await get("/docs/../site_files.ts")).toBeUndefined();
});

test("examples are in curl, TypeScript and Python", async () => {
  const html = await (await get("/docs/"))?.text() ?? "";
  for (const language of ["curl", "TypeScript", "Python"]) {
    expect(html.match(new RegExp(`<summary>${language}</summary>`, "g"))?.length).toBeGreaterThan(
      1,
    );
  }
});
