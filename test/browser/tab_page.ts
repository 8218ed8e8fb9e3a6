import { join } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer";
import { expect, onTestFinished } from "vitest";
import {
  decodeGenerationAnswer,
  type ImageAnswer,
  signedHeaders,
} from "../../core/protocol/mod.ts";
import type { Report } from "../../core/verifier/mod.ts";

import { openWallet, type Wallet } from "../../server/chain/mod.ts";
import { findChrome } from "../../server/compute/mod.ts";
import { type Miner, type MinerOptions, startMiner } from "../../server/miner/mod.ts";
import { buildSite } from "../../server/web/mod.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { serveSite, type SiteServer } from "./site_server.ts";

/**
 * WebGPU by SwiftShader, or none at all. Each tab compiles onnxruntime anew: V8's first compiler
 * alone saves a quarter of what a check takes, and computes the same.
 */
const FLAGS = [
  ...["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
  "--js-flags=--liftoff-only",
];
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export async function openBrowser(gpu: boolean, ...more: readonly string[]): Promise<Browser> {
  return await puppeteer.launch({
    executablePath: findChrome(),
    args: [...FLAGS, ...more, ...gpu ? WEBGPU : ["--disable-gpu", "--disable-features=WebGPU"]],
  });
}

export const REQUEST = {
  ...{ prompt: "a golden tau symbol in a night sky with stars", seed: 5 },
  ...{ width: 128, height: 128, steps: 20 },
};

/** Looked at by people, who set SCREENSHOTS=1; git does not see it. */
const SHOTS = new URL("../dist/screenshots/", import.meta.url).pathname;

export async function shoot(page: Page, name: string): Promise<void> {
  if (!Deno.env.has("SCREENSHOTS")) return;
  await Deno.mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

/** The built pages on an origin of their own, a browser without WebGPU, a miner and its image. */
export interface TabWorld extends AsyncDisposable {
  /** For files of the tests. */
  readonly folder: string;
  /** Of the built pages. */
  readonly dist: string;
  readonly browser: Browser;
  readonly site: SiteServer;
  readonly miner: Miner;
  readonly made: ImageAnswer;
}

export async function startTabWorld(request: object = REQUEST): Promise<TabWorld> {
  const folder = await Deno.makeTempDir();
  const dist = join(folder, "site");
  const [browser, miner] = await Promise.all([
    openBrowser(false),
    startTabMiner(join(folder, "miner"), dist),
    buildSite(dist),
  ]);
  const site = serveSite(dist);
  return {
    ...{ folder, dist, browser, site, miner, made: await ask(miner, request) },
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await Promise.all([site, miner].map((each) => each[Symbol.asyncDispose]()));
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A page with all that it asked for and all that went wrong in it. */
export interface Tab {
  readonly page: Page;
  /** Addresses that were asked for, workers' included. */
  readonly requests: string[];
  readonly errors: string[];
}

export async function openTab(browser: Browser): Promise<Tab> {
  const context = await browser.createBrowserContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.setViewport({ width: 1100, height: 1000 });
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/.test(message.text())) {
      errors.push(message.text());
    }
  });
  return { page, requests: [], errors };
}

export function wallet(hotkey: string): Promise<Wallet> {
  return openWallet({ path: "", name: "", hotkey, network: "devnet" });
}

/** A miner without a chain that takes //Alice's requests and serves the pages. */
export async function startTabMiner(
  folder: string,
  site: string,
  more: Partial<MinerOptions> = {},
): Promise<Miner> {
  const [own, alice] = [await wallet("//Bob"), await wallet("//Alice")];
  return await startMiner({
    ...{ wallet: own, hostname: "127.0.0.1", port: 0, model: "embedded", compute: "cpu" },
    ...{ queue: 4, batch: 1, folder, maxTranscriptBytes: 2 ** 28, site },
    whitelist: { hotkeys: [alice.hotkey.address] },
    log: () => {},
    ...more,
  });
}

/** Has an image made, as a validator does. */
export async function ask(
  miner: Pick<Miner, "url" | "hotkey">,
  request: object,
): Promise<ImageAnswer> {
  const body = new TextEncoder().encode(JSON.stringify({ request }));
  const { hotkey } = await wallet("//Alice");
  const headers = await signedHeaders(
    { body, signedFor: miner.hotkey, now: Date.now(), uuid: crypto.randomUUID() },
    hotkey,
  );
  const response = await fetch(`${miner.url}/v1/generations`, { method: "POST", body, headers });
  return decodeGenerationAnswer(await response.json()).images[0];
}

/** The address of the page that leads to an image. */
export function tabLink(site: string, miner: string, { id, token }: ImageAnswer): string {
  return `${site}/#/verify?${new URLSearchParams({ miner, id, token })}`;
}

/**
 * An assertion on what a page comes to show: it looks again until it holds, and fails with what it
 * saw last. A page is never asserted on otherwise: what fills it may come at any time.
 */
export function eventually<T>(look: () => T | Promise<T>, message?: string) {
  return expect.poll(look, { timeout: PATIENCE_MS, interval: 50, message });
}

/** Presses the button with this text. */
export async function press(page: Page, text: string): Promise<void> {
  await page.locator(`::-p-xpath(//button[normalize-space()="${text}"])`).click();
}

/** Chooses files where receipts are opened. */
export async function choose(page: Page, ...paths: string[]): Promise<void> {
  await chooseIn(page, 'input[type="file"]', ...paths);
}

/** Chooses files in a field. */
export async function chooseIn(page: Page, field: string, ...paths: string[]): Promise<void> {
  const input = await page.$(field) as unknown as {
    uploadFile(...paths: string[]): Promise<void>;
  } | null;
  await input?.uploadFile(...paths);
}

/** The verdict, when it is there and no check is running. */
export async function verdictOf(page: Page): Promise<string> {
  const shown = await page.waitForFunction(
    `document.querySelector('.ladder [data-state="running"]')
      ? undefined
      : document.querySelector(".verdict")?.getAttribute("data-verdict")`,
    // Not at each frame: a check takes seconds.
    { polling: 100 },
  );
  return String(await shown.jsonValue());
}

/** The verdict as the page gives it for download. */
export async function reportOf(page: Page): Promise<Report> {
  await verdictOf(page);
  const link = await page.waitForSelector('a[download^="verdict"]');
  const href = String(await link?.evaluate((element) => element.getAttribute("href")));
  return JSON.parse(decodeURIComponent(href.slice(href.indexOf(",") + 1)));
}

export async function setLevel(page: Page, level: number): Promise<void> {
  await page.select("select", String(level));
}

/** Unfolds what is folded away below the verdict, and the check's settings. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate(`for (const each of document.querySelectorAll(
    ".evidence details, details.settings")) each.open = true`);
}

async function setSteps(page: Page, how: string): Promise<void> {
  await unfold(page);
  await page.locator('::-p-xpath(//label[contains(., "Steps")]/select)').fill(how);
}

/** Picks steps by hand. */
export async function pick(page: Page, steps: string): Promise<void> {
  await setSteps(page, "chosen");
  await page.locator('input[placeholder="0, 14, 29"]').fill(steps);
}

/** Has them drawn by a block. */
export async function drawBy(page: Page, blockHash: string): Promise<void> {
  await setSteps(page, "public");
  await page.locator('input[placeholder="0x..."]').fill(blockHash);
}

/** @param witness as JSON. @param node of the chain. */
export async function drawWitnessed(page: Page, witness: string, node: string): Promise<void> {
  await setSteps(page, "witnessed");
  await page.locator('textarea[placeholder^="{"]').fill(witness);
  await page.locator('input[placeholder="wss://..."]').fill(node);
}

/** Pastes into the field, and opens it. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.locator('textarea[name="text"]').fill(text);
  await press(page, "Open");
}

/** What the page says went wrong; "" where that is nothing. */
export async function alertOf(page: Page): Promise<string> {
  return await page.$$eval(
    "[role=alert]",
    (all) => all.map(({ textContent }) => textContent ?? "").join(""),
  );
}

export async function textOf(page: Page): Promise<string> {
  return String(await page.evaluate("document.body.innerText"));
}

/** Of a trace of the browser's; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** On the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * What the page's own thread does meanwhile. A busy machine does other things in the middle of a
 * task, so that the processor's time counts and not the clock's.
 * @returns milliseconds on the processor of each task.
 */
export async function pageTasks(page: Page, meanwhile: () => Promise<void>): Promise<number[]> {
  await page.tracing.start({ categories: ["disabled-by-default-devtools.timeline"] });
  await meanwhile();
  const trace = new TextDecoder().decode(await page.tracing.stop());
  const { traceEvents }: { readonly traceEvents: readonly TraceEvent[] } = JSON.parse(trace);
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const own = new Set(
    traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(threadOf),
  );
  return traceEvents.flatMap((event) =>
    event.name === "RunTask" && event.tdur !== undefined && own.has(threadOf(event))
      ? [event.tdur / 1000]
      : []
  );
}

export const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization",
};

/** A proxy in front of a miner that changes its answers, until the test ends. @returns its address. */
export function spoil(
  miner: Pick<Miner, "url">,
  change: (path: string, answer: () => Promise<Response>) => Promise<Response> | Response,
): string {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    // A browser's preflight before it sends a token elsewhere.
    if (request.method === "OPTIONS") return new Response(null, { headers: CORS });
    return change(pathname, async () => {
      const { method, headers } = request;
      return await fetch(`${miner.url}${pathname}${search}`, { method, headers });
    });
  });
  onTestFinished(() => server.shutdown());
  return `http://127.0.0.1:${server.addr.port}`;
}
