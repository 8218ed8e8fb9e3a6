import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wgslText } from "../../browser/wgsl_text.ts";
import { findChrome } from "../../server/compute/mod.ts";
import { expectWithin } from "../fixtures/kernels/expect_within.ts";
import { kernelCases } from "../fixtures/kernels/mod.ts";

/** SwiftShader serves WebGPU where there is no GPU, and is the same everywhere. */
const FLAGS = [
  ...["--no-sandbox", "--no-first-run", "--enable-unsafe-webgpu"],
  ...["--use-webgpu-adapter=swiftshader", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
];

/** The page's script: the cases and the kernels' text, as the global `kernels`. */
async function bundleCases(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [wgslText()],
    build: {
      write: false,
      target: "esnext",
      lib: {
        entry: fileURLToPath(new URL("../fixtures/kernels/page.ts", import.meta.url)),
        formats: ["iife"],
        name: "kernels",
      },
    },
  });
  const [bundle] = [result].flat();
  if (!("output" in bundle)) throw new Error("Cannot bundle the kernels: vite gave a watcher");
  return bundle.output[0].code;
}

/** WebGPU is for secure contexts: a page of this machine is one, about:blank is not. */
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
);
const browser = await puppeteer.launch({ executablePath: findChrome(), args: FLAGS });
const page = await browser.newPage();

beforeAll(async () => {
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  await page.evaluate(await bundleCases() + "; globalThis.kernels = kernels;");
});

afterAll(async () => {
  await browser.close();
  await server.shutdown();
});

test("Chrome has a WebGPU adapter", async () => {
  expect(await page.evaluate("kernels.adapter()")).toHaveLength(2);
});

test.each(kernelCases)("in Chrome: $name", async (one) => {
  const measured = await page.evaluate(`kernels.measure(${JSON.stringify(one.name)})`);
  expectWithin(one, measured as Record<string, number>);
});
