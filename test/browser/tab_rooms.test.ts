import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  eventually,
  openTab,
  press,
  shoot,
  startTabWorld,
  type TabWorld,
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
  await page.locator("form.order summary").click();
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
  await press(page, "Check it");
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await page.goBack();
  await page.waitForSelector(".made img");
  expect(errors.filter((error) => !/401/.test(error))).toEqual([]);
});
