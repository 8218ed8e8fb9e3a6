import puppeteer, { type Browser, type Page } from "puppeteer";
import { onTestFinished } from "vitest";
import type { ImageAnswer } from "../../core/protocol/mod.ts";
import { decodeGenerationAnswer, signedHeaders } from "../../core/protocol/mod.ts";
import { openWallet, type Wallet } from "../../server/chain/mod.ts";
import { findChrome } from "../../server/compute/mod.ts";
import { type Miner, type MinerOptions, startMiner } from "../../server/miner/mod.ts";

/** WebGPU by SwiftShader, or none at all. */
const FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"];
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export async function openBrowser(gpu: boolean): Promise<Browser> {
  return await puppeteer.launch({
    executablePath: findChrome(),
    args: [...FLAGS, ...gpu ? WEBGPU : ["--disable-gpu", "--disable-features=WebGPU"]],
  });
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
    access: {
      hotkeys: [],
      coldkeys: [],
      forceValidatorPermit: false,
      allowNonRegistered: false,
      validatorMinimumTao: 0,
    },
    whitelist: { hotkeys: [alice.hotkey.address] },
    log: () => {},
    ...more,
  });
}

/** Has an image made, as a validator does. */
export async function ask(miner: Miner, request: object): Promise<ImageAnswer> {
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
  return `${site}/#/check?${new URLSearchParams({ miner, id, token })}`;
}

/** Presses the button with this text. */
export async function press(page: Page, text: string): Promise<void> {
  await page.locator(`::-p-xpath(//button[normalize-space()="${text}"])`).click();
}

/** The verdict, when it is there. */
export async function verdictOf(page: Page, timeout = 120_000): Promise<string> {
  const shown = await page.waitForSelector(".verdict", { timeout });
  return await shown?.evaluate((element) => element.getAttribute("data-verdict") ?? "") ?? "";
}
