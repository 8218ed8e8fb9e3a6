import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeInputImage, encodeImage, resize } from "../../core/image/mod.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import {
  eventually,
  openTab,
  press,
  REQUEST,
  shoot,
  startTabWorld,
  type TabWorld,
  textOf,
  verdictOf,
} from "./tab_page.ts";
import { startTabGateway } from "./tab_validator.ts";

const KEY = "a-key-of-the-rooms";

let world: TabWorld;

beforeAll(async () => {
  world = await startTabWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Chooses the subnet's miners, by a key. */
async function useKey(page: Page, key: string, url?: string): Promise<void> {
  await page.locator('::-p-xpath(//label[contains(., "miners")])').click();
  if (url !== undefined) await page.locator('input[name="url"]').fill(url);
  await page.locator('input[name="key"]').fill(key);
  await press(page, "Use this key");
}

/** Asks for a small image of few steps. */
async function askSmall(page: Page, images: number): Promise<void> {
  await page.select('select[name="size"]', "64");
  await page.select('select[name="images"]', String(images));
  await page.locator("form.order details:not(.inputs) summary").click();
  await page.locator('input[name="steps"]').fill("6");
  await press(page, "Make it");
}

test("with a key a validator's miners make images, which stay, and are found and checked", async () => {
  const { url } = await startTabGateway(world, { key: KEY });
  const { page, errors } = await openTab(world.browser);
  await page.goto(`${url}/#/create`);
  await page.waitForSelector("form.order");
  await shoot(page, "create-empty");
  await useKey(page, "not-a-key");
  await eventually(() => page.$eval("[role=alert]", (each) => each.textContent)).toMatch(/key/);
  await page.locator('input[name="key"]').fill(KEY);
  await press(page, "Use this key");
  await page.waitForFunction(`document.body.innerText.includes("50 images left today")`);
  await askSmall(page, 2);
  await page.waitForFunction(`document.querySelectorAll(".gallery img").length === 2`);
  await page.waitForSelector(".made img");
  await page.waitForFunction(`document.body.innerText.includes("48 images left today")`);
  await shoot(page, "create-miners");
  // They are there after a reload, each at an address of its own.
  await page.reload();
  await page.waitForFunction(`document.querySelectorAll(".gallery img").length === 2`);
  await page.locator(".gallery a").click();
  await page.waitForFunction(`/^#\\/create\\?image=[0-9a-f]{64}$/.test(location.hash)`);
  await page.waitForSelector(".made img");
  await shoot(page, "create-chosen");
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await page.setViewport({ width: 390, height: 800 });
  await eventually(() => page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await shoot(page, "create-phone-dark");
  await press(page, "Check it");
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await page.goBack();
  await page.waitForSelector(".made img");
  expect(errors.filter((error) => !/401/.test(error))).toEqual([]);
});

test("an image of the gallery is enlarged and drawn anew, and its check leads to both receipts", async () => {
  const { url } = await startTabGateway(world, { key: KEY });
  const { page, errors } = await openTab(world.browser);
  await page.goto(`${url}/#/create`);
  await page.waitForSelector("form.order");
  const made = async () => {
    await page.waitForSelector(".made img");
    return await page.$eval(".made", (each) => each.innerText);
  };
  // A step in this browser, then its enlargement by the page's network.
  await askSmall(page, 1);
  await eventually(made).toMatch(/Made in this browser .*: 64 x 64, 6 steps/);
  await press(page, "Upscale");
  // int(6 * 0.35) steps, as diffusers counts.
  await eventually(made).toMatch(/Made in this browser .*: 128 x 128, 2 steps/);
  await shoot(page, "create-upscaled");
  await page.waitForFunction(`document.querySelectorAll(".gallery img").length === 2`);
  await press(page, "Check it");
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await eventually(() => textOf(page)).toMatch(/made larger by a network.*pixel for pixel/);
  await shoot(page, "verify-upscaled");
  // By miners: Lanczos' kernel, which the validator and everybody has.
  await page.goto(`${url}/#/create`);
  await useKey(page, KEY);
  await page.waitForFunction(`document.body.innerText.includes("images left today")`);
  await page.locator(".gallery li:last-child a").click();
  await eventually(made).toMatch(/64 x 64/);
  await press(page, "Upscale");
  await eventually(made).toMatch(/Made by a miner, .*: 128 x 128, 2 steps/);
  await press(page, "Check it");
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await eventually(() => textOf(page)).toMatch(/made larger by Lanczos.*pixel for pixel/);
  expect(errors).toEqual([]);
});

/** Has a job done, as a program does. @returns its image's file. */
async function imageOfJob(url: string, request: object): Promise<Uint8Array<ArrayBuffer>> {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const body = JSON.stringify({ request });
  const asked = await fetch(`${url}/v1/jobs`, { method: "POST", headers, body });
  const { id } = await asked.json();
  // It ends with the job.
  await (await fetch(`${url}/v1/jobs/${id}/events`, { headers })).text();
  return await (await fetch(`${url}/v1/jobs/${id}/images/0`, { headers })).bytes();
}

async function choose(page: Page, path: string): Promise<void> {
  const input = await page.$('input[type="file"]') as unknown as {
    uploadFile(path: string): Promise<void>;
  };
  await input.uploadFile(path);
}

test("a copy of an image, scaled and saved anew, leads to its receipt, and is checked", async () => {
  const { url } = await startTabGateway(world, { key: KEY });
  const { page } = await openTab(world.browser);
  await page.goto(url);
  await page.waitForSelector(".landing img");
  await shoot(page, "verify-landing");
  const file = await imageOfJob(url, REQUEST);
  const copy = join(await temporaryFolder(), "found-on-the-web.jpg");
  const pixels = await decodeInputImage(file, "the image");
  await Deno.writeFile(copy, await encodeImage(resize(pixels, { width: 96, height: 96 }), "jpeg"));
  await choose(page, copy);
  await page.waitForSelector(".copy img");
  await shoot(page, "verify-found");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await eventually(() => textOf(page)).toMatch(/computed 3 of its 20 steps again/);
  await shoot(page, "verify-honest");
  await page.setViewport({ width: 390, height: 800, isMobile: true, hasTouch: true });
  await eventually(() => page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  await shoot(page, "verify-phone");
});

test("Explore shows what a validator's public routes say", async () => {
  const row = { requestsPerSecond: 1.5, similarity: 0.99999, checks: 12, served: 40, failed: 1 };
  const miners = [
    { uid: 1, hotkey: world.miner.hotkey, url: world.miner.url, ...row, incentive: 0.75 },
    { uid: 2, hotkey: "5Cheat", url: "", ...row, requestsPerSecond: 0.5, cheated: true, why: "no" },
  ];
  const weights = { block: 9, uids: [1, 2], weights: [65535, 0] };
  const info = { netuid: 30, block: 1234, miners, weights };
  const { url, ledger } = await startTabGateway(world, { key: KEY, info });
  const { made, miner } = world;
  ledger.receipts.add(made.id, { ...made, miner: miner.url }, 9);
  for (const block of [7, 8]) ledger.weights.add({ block, uids: [1, 2], weights: [block, 1] });
  ledger.weights.add(weights);
  ledger.results.served("an image", miner.hotkey);
  const { page, errors } = await openTab(world.browser);
  await page.goto(`${url}/#/explore`);
  await page.waitForSelector(".chart");
  // 1.5 and 0.5 a second, 12 checks each.
  await eventually(() => page.$$eval(".figures dd", (all) => all.map((each) => each.innerText)))
    .toEqual(["2", "2.00", "24", "1"]);
  const rows = () => page.$$eval("tbody tr", (all) => all.map((each) => each.innerText));
  await eventually(rows).toEqual([
    expect.stringMatching(/^1 5\w+\s+100\.0 %\s+75\.0 %\s+1\.50\s+0\.99999\s+12\s+40$/),
    expect.stringMatching(/^2 5Cheat\s*caught\s+0\.0 %/),
  ]);
  await eventually(() => page.$$eval(".chart figcaption", (all) => all[0].innerText)).toMatch(/1$/);
  await page.waitForSelector("button.receipt img");
  await shoot(page, "explore");
  for (const width of [390, 320]) {
    await page.setViewport({ width, height: 800, isMobile: true, hasTouch: true });
    await page.waitForSelector(".chart");
    await eventually(() => page.evaluate("document.documentElement.scrollWidth")).toBe(width);
  }
  await page.setViewport({ width: 390, height: 800, isMobile: true, hasTouch: true });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await page.waitForSelector("button.receipt img");
  await shoot(page, "explore-phone-dark");
  // An image of it leads to its check.
  await page.locator("button.receipt").click();
  await page.waitForSelector(`.card[data-receipt="${made.id}"] img`);
  // There is no feed of published content here.
  expect(errors.filter((error) => !/404/.test(error))).toEqual([]);
});
