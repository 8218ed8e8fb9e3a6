import axe, { type AxeResults } from "axe-core";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { decodeReport } from "../../core/bench/mod.ts";
import { cheatingEngine, zoo } from "../../core/adversary/mod.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { readJson, readLatentChannels } from "../../core/model/mod.ts";
import type { ImageAnswer } from "../../core/protocol/mod.ts";
import { encodeReceipt, fileHash, signWitness } from "../../core/transcript/mod.ts";
import { chooseSteps, type Report } from "../../core/verifier/mod.ts";

import { encodeImage, type RgbaImage } from "../../core/image/mod.ts";
import { startDevnet } from "../../server/chain/mod.ts";
import { cpuRuntime } from "../../server/compute/mod.ts";
import { localHost } from "../../server/compute/host.ts";
import type { Miner } from "../../server/miner/mod.ts";
import { openKnownModel } from "../../server/models/mod.ts";
import { runCli } from "../fixtures/cli.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { signedRun } from "../fixtures/signed_run.ts";
import type { SiteServer } from "./site_server.ts";
import {
  alertOf,
  ask,
  choose,
  chooseIn,
  CORS,
  drawBy,
  drawWitnessed,
  eventually,
  openBrowser,
  openTab,
  pageTasks,
  paste,
  pick,
  press,
  reportOf,
  REQUEST,
  setLevel,
  shoot,
  spoil,
  startTabMiner,
  startTabWorld,
  tabLink,
  type TabWorld,
  textOf,
  unfold,
  verdictOf,
  wallet,
} from "./tab_page.ts";
import { startTabValidator } from "./tab_validator.ts";

let world: TabWorld;
let folder: string;
let dist: string;
let browser: Browser;
let site: SiteServer;
let miner: Miner;
let made: ImageAnswer;

beforeAll(async () => {
  world = await startTabWorld();
  ({ folder, dist, browser, site, miner, made } = world);
});

afterAll(() => world[Symbol.asyncDispose]());

/** The first whole file in a folder, when it is there. */
async function downloaded(path: string): Promise<string> {
  const whole = async () => {
    const names = await Array.fromAsync(Deno.readDir(path), ({ name }) => name).catch(() => []);
    return names.find((name) => name.endsWith(".json"));
  };
  return join(path, await vi.waitUntil(whole, PATIENCE_MS));
}

test("from a link to honest, on three steps, on the CPU of a browser without WebGPU", async () => {
  const { page, errors } = await openTab(browser);
  const before = site.requests.length;
  const started = performance.now();
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  const firstLoad = site.requests.slice(before);
  const compressed = firstLoad.reduce((sum, each) => sum + each.compressed, 0);
  const interactive = performance.now() - started;
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  const seconds = (performance.now() - started) / 1000;
  expect(errors).toEqual([]);
  expect(firstLoad.map(({ path }) => path)).not.toContainEqual(expect.stringMatching(/onnx|ort/));
  expect(compressed).toBeLessThan(300_000);
  const fetched = site.requests.slice(before).reduce((sum, each) => sum + each.compressed, 0);
  console.log(
    `Tab: first load ${(compressed / 1000).toFixed(0)} kB compressed, the image shown after ` +
      `${interactive.toFixed(0)} ms; from link to verdict ${seconds.toFixed(1)} s and ` +
      `${(fetched / 1e6).toFixed(1)} MB, onnxruntime and the model included`,
  );
  await unfold(page);
  await page.waitForSelector(".compare canvas");
  console.log(await page.$eval(".evidence p.small", (each) => each.textContent));
  await page.waitForSelector(".plot canvas");
  await eventually(() => page.$$eval(".tiles [data-drawn=true] canvas", (all) => all.length)).toBe(
    3,
  );
  await eventually(() => page.$$eval(".strip [data-drawn=true]", (all) => all.length)).toBe(3);
  await eventually(() => textOf(page)).toMatch(/WebGPU finds no adapter|has no WebGPU/);
  await shoot(page, "honest");
  const plot = () => page.evaluate(`document.querySelector(".plot canvas").toDataURL()`);
  const light = await plot();
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await shoot(page, "honest-dark");
  // It is drawn again in the other colours.
  await eventually(plot).not.toBe(light);
});

/** Stands before the pages as a server does that has them under a name, until the test ends. */
function behindPrefix(prefix: string): { readonly url: string; readonly elsewhere: string[] } {
  const elsewhere: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith(prefix)) {
      elsewhere.push(pathname);
      return new Response("another site", { status: 404 });
    }
    const { method, headers } = request;
    return fetch(`${site.url}/${pathname.slice(prefix.length)}${search}`, { method, headers });
  });
  onTestFinished(() => server.shutdown());
  return { url: `http://127.0.0.1:${server.addr.port}${prefix}`, elsewhere };
}

test("behind a prefix all that the pages load and lead to is below it", async () => {
  const { url, elsewhere } = behindPrefix("/some/prefix/");
  const { page, errors } = await openTab(browser);
  await page.goto(tabLink(url.slice(0, -1), miner.url, made));
  await page.waitForSelector(".card img");
  await setLevel(page, 2);
  await pick(page, "1");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await page.evaluate(`location.hash = "#/browser"`);
  await page.waitForSelector('a[href$="bench.html"]');
  const scope = "navigator.serviceWorker.ready.then(({ scope }) => scope)";
  expect(await page.evaluate(scope)).toBe(url);
  await page.locator('a[href$="bench.html"]').click();
  await page.waitForSelector('a[aria-current][href$="bench.html"]');
  const links = await page.$$eval("a[href]", (all) => all.map(({ href }) => href));
  expect(links.filter((href) => !href.startsWith(url))).toEqual([]);
  expect(elsewhere).toEqual([]);
  expect(errors).toEqual([]);
});

test(
  "on a phone the ladder, the strip, the plot and the heat maps are within the screen",
  async () => {
    const { page } = await openTab(browser);
    await page.setViewport({ width: 390, height: 800, isMobile: true, hasTouch: true });
    await page.goto(tabLink(site.url, miner.url, made));
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    await unfold(page);
    await page.waitForSelector(".compare canvas");
    for (const shown of [".ladder li", ".tiles canvas", ".plot canvas", ".scale canvas", "table"]) {
      await eventually(() => page.$(shown), shown).not.toBeNull();
    }
    await shoot(page, "honest-phone");
    const wide = await page.evaluate(`[...document.querySelectorAll(
      "header, section, section > *, .ladder *, .compare *, .card *, .row *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.outerHTML)`);
    expect(wide).toEqual([]);
    await eventually(() => page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await page.setViewport({ width: 320, height: 640, isMobile: true, hasTouch: true });
    for (const view of ["verify", "create", "explore", "strength", "browser"]) {
      await page.evaluate(`location.hash = "#/${view}"`);
      await page.waitForSelector(`nav a[aria-current][href="#/${view}"]`);
      await eventually(() => page.evaluate("document.documentElement.scrollWidth"), view).toBe(320);
    }
  },
);

/** A miner that leaves out what the prompt asks for. */
async function startCheater(name: string): Promise<Miner> {
  const cheat = zoo.find(({ name }) => name === "no guidance");
  if (!cheat) throw new Error("the zoo has lost a cheat");
  return await startTabMiner(join(folder, name), dist, {
    wrap: async (engine, files) => {
      const scheduler = await readJson(files, "scheduler/scheduler_config.json");
      return cheatingEngine(
        engine,
        cheat,
        scheduler as object as never,
        await readLatentChannels(files),
      );
    },
  });
}

/** A check of the same image with the same steps by the command line. */
async function verifyByCommand(from: Miner, image: ImageAnswer, flags: readonly string[]) {
  const [receipt, file] = ["r.json", "i.png"].map((name) => join(folder, `${image.id}-${name}`));
  await Deno.writeFile(receipt, encodeReceipt(image.receipt));
  const url = `${from.url}/v1/generations/${image.id}/image?token=${image.token}`;
  await Deno.writeFile(file, await (await fetch(url)).bytes());
  const { stdout } = await runCli([
    ...["verify", receipt, "--from", from.url, "--token", image.token, "--image", file],
    ...[...flags, "--compute", "cpu", "--json"],
  ]);
  return JSON.parse(stdout) as Report;
}

const BLOCK = `0x${"5e".repeat(32)}`;

describe("the verdict is that of deno task verify", () => {
  test.each([
    ["honest", "steps picked by hand", (page: Page) => pick(page, "2, 9, 19"), [
      "--steps",
      "2,9,19",
    ]],
    ["honest", "steps of a block", (page: Page) => drawBy(page, BLOCK), ["--block-hash", BLOCK]],
    ["suspect", "a cheat", (page: Page) => pick(page, "3, 15"), ["--steps", "3,15"]],
  ])("%s: %s", async (verdict, name, choose, flags) => {
    await using cheater = verdict === "suspect" ? await startCheater(name) : undefined;
    const from = cheater ?? miner;
    const image = cheater ? await ask(cheater, REQUEST) : made;
    const { page } = await openTab(browser);
    await page.goto(tabLink(site.url, from.url, image));
    await page.waitForSelector(".card img");
    await choose(page);
    await press(page, "Check");
    const ours = await reportOf(page);
    const theirs = await verifyByCommand(from, image, flags);
    const { openings, bytes, evaluations, share } = theirs.cost;
    expect(ours).toMatchObject({
      ...{ verdict, level: theirs.level, opened: theirs.opened, draw: theirs.draw },
      ...{ start: theirs.start, tolerances: "catalogue", receipt: theirs.receipt },
      cost: { openings, bytes, evaluations, share },
    });
    expect(theirs.verdict).toBe(verdict);
    expect(ours.steps.length).toBe(theirs.steps.length);
    for (const [k, row] of ours.steps.entries()) {
      const their = theirs.steps[k];
      expect(row).toMatchObject({ step: their.step, tolerance: their.tolerance });
      // Both compute on the CPU, by two builds of onnxruntime.
      expect(row.similarity).toBeCloseTo(their.similarity ?? NaN, 4);
      const apart = Math.abs((row.velocityError ?? NaN) - (their.velocityError ?? NaN));
      expect(apart).toBeLessThan(row.tolerance ?? NaN);
    }
  });
});

test(
  "a block draws the steps that anybody can draw again, and is shown with the verdict",
  async () => {
    const { page } = await openTab(browser);
    await page.goto(tabLink(site.url, miner.url, made));
    await page.waitForSelector(".card img");
    await setLevel(page, 0);
    await drawBy(page, ` ${BLOCK} `);
    await press(page, "Check");
    const report = await reportOf(page);
    const { steps } = chooseSteps(made.receipt, { blockHash: BLOCK });
    expect(report).toMatchObject({ draw: "public", blockHash: BLOCK, opened: steps });
    await unfold(page);
    await eventually(() => textOf(page)).toContain(
      `Steps ${steps.join(", ")} of 20, drawn by a hash that you typed (${BLOCK})`,
    );
    // No hash is no draw, never a private one.
    await drawBy(page, " ");
    await press(page, "Check");
    await eventually(() => alertOf(page)).toMatch(
      /the block's hash is "", not 64 hexadecimal digits/,
    );
    // The verdict that was there stays: nothing new was found.
    await eventually(() => page.$$eval(".verdict[data-verdict=honest]", (all) => all.length)).toBe(
      1,
    );
    expect(await reportOf(page)).toEqual(report);
  },
);

test("steps are drawn by the block that a witness names, as a node of the chain has it", async () => {
  await using devnet = await startDevnet({ port: 0, blockMs: 50 });
  await expect.poll(() => devnet.chain.head.number, { timeout: PATIENCE_MS }).toBeGreaterThan(4);
  const validator = openHotkey("0d".repeat(32));
  const seen = { number: 1, hash: "ab".repeat(32) };
  const witnessOf = async (id: string) => JSON.stringify(await signWitness(id, seen, validator));
  const { page } = await openTab(browser);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await setLevel(page, 0);
  await drawWitnessed(page, await witnessOf(made.id), devnet.endpoint);
  await press(page, "Check");
  expect(await reportOf(page)).toMatchObject({
    ...{ verdict: "honest", draw: "public", block: 4 },
    witnessed: { by: validator.address, at: 1, draws: 4 },
  });
  await unfold(page);
  await eventually(() => textOf(page)).toMatch(/drawn by block 4/);
  // One of another receipt draws nothing.
  await drawWitnessed(page, await witnessOf("00".repeat(32)), devnet.endpoint);
  await press(page, "Check");
  await eventually(() => alertOf(page)).toMatch(/its receipt is not the expected one/);
});

test.each([0, 1])("level %i downloads neither a model nor onnxruntime", async (level) => {
  const { page } = await openTab(browser);
  const before = site.requests.length;
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await setLevel(page, level);
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  const requests = site.requests.slice(before);
  expect(requests.reduce((sum, each) => sum + each.compressed, 0)).toBeLessThan(300_000);
  const paths = requests.map(({ path }) => path);
  expect(paths.filter((path) => /\.onnx|^\/ort\/|ort-wasm/.test(path))).toEqual([]);
  expect(paths).toContain("/models/tau-tiny/scheduler/scheduler_config.json");
  // Rungs of what was checked, and of nothing else.
  const rungs = () =>
    page.$$eval(
      ".ladder li",
      (all) =>
        all.map((each) => [each.getAttribute("data-stage"), each.getAttribute("data-state")]),
    );
  const climbed = ["receipt", "proofs", ...level === 1 ? ["arithmetic"] : []];
  await eventually(rungs).toEqual(climbed.map((stage) => [stage, "done"]));
});

test("a miner that cheats is suspect", async () => {
  await using cheater = await startCheater("cheat");
  const cheated = await ask(cheater, REQUEST);
  const { page } = await openTab(browser);
  await page.goto(tabLink(site.url, cheater.url, cheated));
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("suspect");
  await eventually(() => textOf(page)).toMatch(
    /step \d+ is not what the network predicts: velocity error/,
  );
  await page.waitForSelector('li[data-stage="network"][data-state="failed"]');
  await page.waitForSelector('li[data-stage="arithmetic"][data-state="done"]');
  await shoot(page, "suspect");
});

async function withBytes(response: Response, change: (bytes: Uint8Array) => void) {
  const bytes = await response.bytes();
  change(bytes);
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.delete("content-encoding");
  return new Response(bytes, { status: response.status, headers });
}

describe("what is refused, or shown and does no harm", () => {
  test("an opening with one flipped bit", async () => {
    const url = spoil(
      miner,
      async (path, answer) =>
        path.includes("/steps/")
          ? await withBytes(await answer(), (bytes) => bytes[bytes.length - 100] ^= 4)
          : await answer(),
    );
    const { page } = await openTab(browser);
    await page.goto(tabLink(site.url, url, made));
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("invalid");
    await page.waitForSelector('li[data-stage="proofs"][data-state="failed"]');
    await eventually(() => page.$$('.ladder li[data-state="done"]')).toHaveLength(1);
    await shoot(page, "invalid");
  });

  test("an opening of a gigabyte", async () => {
    let sent = 0;
    const url = spoil(miner, (path, answer) =>
      path.includes("/steps/")
        ? Promise.resolve(
          new Response(
            new ReadableStream({
              pull: (controller) => {
                sent += 65_536;
                if (sent > 2 ** 30) controller.close();
                else controller.enqueue(new Uint8Array(65_536));
              },
            }),
            { headers: CORS },
          ),
        )
        : answer());
    const { page } = await openTab(browser);
    await page.goto(tabLink(site.url, url, made));
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("invalid");
    await eventually(() => textOf(page)).toMatch(/has more than \d+ bytes/);
    // No more came than was in flight.
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  test("a receipt with script in the prompt is text", async () => {
    const prompt = `<img src=x onerror="globalThis.harmed=1"><script>harmed=1</script>`;
    const hostile = await ask(miner, { ...REQUEST, prompt, steps: 1 });
    const { page, errors } = await openTab(browser);
    await page.goto(tabLink(site.url, miner.url, hostile));
    await page.waitForSelector(".card img");
    await eventually(() => textOf(page)).toContain(prompt);
    expect(await page.evaluate("globalThis.harmed")).toBeUndefined();
    expect(errors).toEqual([]);
  });

  test("a redirect, a wrong type, another's receipt", async () => {
    const { page } = await openTab(browser);
    const cases: readonly [Parameters<typeof spoil>[1], RegExp][] = [
      [
        (path) =>
          Promise.resolve(
            new Response(null, { status: 302, headers: { ...CORS, location: path } }),
          ),
        /Cannot ask the miner/,
      ],
      [
        () =>
          Promise.resolve(
            new Response("<h1>hello</h1>", { headers: { ...CORS, "content-type": "text/html" } }),
          ),
        /it answered with text\/html, not JSON/,
      ],
      [
        async (_, answer) => {
          const { receipt } = await (await answer()).json();
          receipt.times.started -= 1;
          return Response.json({ receipt }, { headers: CORS });
        },
        /the miner sent another receipt/,
      ],
    ];
    for (const [change, why] of cases) {
      const url = spoil(miner, change);
      await page.goto("about:blank");
      await page.goto(tabLink(site.url, url, made));
      await eventually(() => alertOf(page)).toMatch(why);
    }
  });

  test("junk in the field, in words for the reader", async () => {
    const { page } = await openTab(browser);
    await page.goto(site.url);
    for (
      const [pasted, why] of [
        ["hello", /it is no receipt, no link to one, and no address/],
        ['{"a": 1}', /Cannot read a receipt/],
        ["ftp://miner/", /it is not http/],
      ] as const
    ) {
      await paste(page, pasted);
      await eventually(() => alertOf(page)).toMatch(why);
    }
  });
});

describe("what is kept on this machine", () => {
  test("a download that broke goes on where it ended, after a reload", async () => {
    const { page } = await openTab(browser);
    const unet = "/models/tau-tiny/unet/model.onnx";
    site.cut(unet, 3_000_000);
    await page.goto(tabLink(site.url, miner.url, made));
    await page.waitForSelector(".card img");
    await press(page, "Check");
    await eventually(() => alertOf(page)).toMatch(
      /Cannot fetch unet\/model.onnx .* another try goes on/,
    );
    await page.reload();
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    const ranges = site.requests.filter(({ path, range }) => path === unet && range !== null);
    const from = Number(/^bytes=(\d+)-/.exec(ranges.at(-1)?.range ?? "")?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(3_000_000);
    // Once more: all is here.
    const before = site.requests.length;
    await page.reload();
    await page.waitForSelector(".card img");
    await press(page, "Check");
    await verdictOf(page);
    await unfold(page);
    await page.waitForSelector(".compare canvas");
    const asked = site.requests.slice(before).map(({ path }) => path);
    expect(asked.filter((path) => path.endsWith(".onnx"))).toEqual([]);
    const wasm = site.requests.slice(before).filter(({ path }) => path.endsWith("threaded.wasm"));
    expect(wasm.map(({ status }) => status)).toEqual([304]);
  });

  test("what was checked can be looked at offline", async () => {
    const { page } = await openTab(browser);
    await page.goto(tabLink(site.url, miner.url, made));
    await page.waitForSelector(".card img");
    await setLevel(page, 1);
    await press(page, "Check");
    await verdictOf(page);
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)");
    // The worker that was just installed sees the next load.
    await page.reload();
    await page.waitForSelector(".verdict[data-verdict]");
    await page.setOfflineMode(true);
    await page.reload();
    expect(await verdictOf(page)).toBe("honest");
    await page.waitForSelector(".card img");
    await page.setOfflineMode(false);
    // What an older build had kept is deleted once this one's worker is there.
    expect(
      await page.evaluate(`caches.open("stepwise-page-1").then(async (cache) => {
      await cache.put("/assets/older-0000.js", new Response("older"));
      const registration = await navigator.serviceWorker.getRegistration();
      await registration.unregister();
      return (await cache.keys()).length;
    })`),
    ).toBeGreaterThan(2);
    await page.reload();
    await page.waitForFunction(`caches.match("/assets/older-0000.js").then((found) => !found)`);
    await eventually(() => page.evaluate(`caches.match("/").then(Boolean)`)).toBe(true);
  });

  test(
    "receipts of an older version are brought along",
    async () => {
      const { page } = await openTab(browser);
      await page.goto(`${site.url}/icon.svg`);
      const stored = { id: made.id, receipt: made.receipt, at: Date.now() };
      await page.evaluate(`new Promise((resolve, reject) => {
        const opening = indexedDB.open("stepwise", 1);
        opening.onupgradeneeded = () =>
          opening.result.createObjectStore("receipts", { keyPath: "id" }).createIndex("at", "at");
        opening.onerror = reject;
        opening.onsuccess = () => {
          const writing = opening.result.transaction("receipts", "readwrite");
          writing.objectStore("receipts").put(${JSON.stringify(stored)});
          writing.oncomplete = () => {
            opening.result.close();
            resolve(true);
          };
        };
      })`);
      await page.goto(site.url);
      await page.waitForFunction(`document.body.innerText.includes("not checked")`);
      await page.locator(".kept button.receipt").click();
      await page.waitForSelector(".card");
    },
  );

  test("everything can be cleared: weights, receipts, verdicts and the page itself", async () => {
    const { page } = await openTab(browser);
    const kept = () =>
      page.evaluate(`(async () => {
        const weights = [];
        const root = await navigator.storage.getDirectory();
        for await (const name of (await root.getDirectoryHandle("weights")).keys()) {
          weights.push(name);
        }
        const database = await new Promise((resolve, reject) => {
          const opening = indexedDB.open("stepwise");
          opening.onerror = reject;
          opening.onsuccess = () => resolve(opening.result);
        });
        const counted = async (store) =>
          await new Promise((resolve) => {
            const counting = database.transaction(store).objectStore(store).count();
            counting.onsuccess = () => resolve(counting.result);
          });
        const [receipts, verdicts] = await Promise.all(["receipts", "verdicts"].map(counted));
        database.close();
        return { weights, receipts, verdicts, caches: (await caches.keys()).length };
      })()`);
    await page.goto(site.url);
    await page.waitForFunction("navigator.serviceWorker.controller !== null");
    await page.goto(tabLink(site.url, miner.url, made));
    await page.waitForSelector(".card img");
    await setLevel(page, 2);
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    expect(await kept()).toMatchObject({ receipts: 1, verdicts: 1, caches: 1 });
    expect((await kept() as { weights: string[] }).weights.length).toBeGreaterThan(1);
    // One file that is in use elsewhere keeps nothing else from being cleared.
    await page.evaluate(`(async () => {
      const root = await navigator.storage.getDirectory();
      const weights = await root.getDirectoryHandle("weights");
      const file = await weights.getFileHandle("in use", { create: true });
      globalThis.writing = await file.createWritable();
    })()`);
    await page.evaluate(`location.hash = "#/browser"`);
    await press(page, "Clear everything");
    await press(page, "Keep them");
    await press(page, "Clear everything");
    expect(await kept()).toMatchObject({ receipts: 1, verdicts: 1, caches: 1 });
    await press(page, "Forget them");
    await eventually(() => alertOf(page)).toMatch(/Cannot clear all weights: one is in use/);
    // With what is written to it, which the browser keeps with it.
    const used = ["in use", "in use.crswap"];
    const left = await kept() as { weights: string[] };
    expect(left.weights).toContain("in use");
    expect(used).toEqual(expect.arrayContaining(left.weights));
    expect(left).toMatchObject({ receipts: 0, verdicts: 0, caches: 0 });
    await page.evaluate("globalThis.writing.abort()");
    await press(page, "Clear everything");
    await press(page, "Forget them");
    // The receipts went the first time: nothing on the page shows when the worker is done.
    const nothing = { weights: [], receipts: 0, verdicts: 0, caches: 0 };
    await eventually(kept).toEqual(nothing);
    await page.waitForFunction(`document.body.innerText.includes("Everything was deleted")`);
    await eventually(() => alertOf(page)).toBe("");
    await page.evaluate(`location.hash = "#/verify"`);
    await page.waitForFunction(
      `document.body.innerText.includes("Nothing has been opened here yet")`,
    );
    await eventually(() => page.$(".card")).toBeNull();
  });

  test("a full disk loses the copy, not the check", async () => {
    const { page } = await openTab(browser);
    await page.goto(site.url);
    // From here on the page's service worker answers, which would keep what it serves.
    await page.waitForFunction("navigator.serviceWorker.controller !== null");
    const client = await page.createCDPSession();
    await client.send("Storage.overrideQuotaForOrigin", { origin: site.url, quotaSize: 1 });
    await page.goto(tabLink(site.url, miner.url, made));
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    await eventually(() => alertOf(page)).toMatch(/no room to keep/);
  });
});

test("a wallet signs the verdict, and a validator takes it from keys of its subnet", async () => {
  const [alice, eve] = [await wallet("//Alice"), await wallet("//Eve")];
  const { url } = await startTabValidator((address) => address === alice.hotkey.address);
  const { page, errors } = await openTab(browser);
  await page.exposeFunction("signWithRealKey", (address: string, data: string) => {
    const pair = [alice, eve].find(({ hotkey }) => hotkey.address === address)?.pair;
    const message = Uint8Array.fromHex(data.slice(2));
    const [before, after] = ["<Bytes>", "</Bytes>"].map((part) => new TextEncoder().encode(part));
    const signature = pair?.sign(Uint8Array.from([...before, ...message, ...after]));
    return `0x${signature?.toHex()}`;
  });
  const accounts = [alice, eve].map(({ hotkey: { address } }, k) => ({
    ...{ address, name: ["Alice", "Eve"][k], type: "sr25519" },
  }));
  await page.evaluateOnNewDocument(`globalThis.injectedWeb3 = {
    "a-wallet": {
      version: "1",
      enable: async () => ({
        accounts: { get: async () => ${JSON.stringify(accounts)}, subscribe: () => () => {} },
        signer: {
          signRaw: async ({ address, data }) =>
            ({ id: 1, signature: await signWithRealKey(address, data) }),
        },
      }),
    },
  };`);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await setLevel(page, 1);
  await press(page, "Check");
  await verdictOf(page);
  await unfold(page);
  await press(page, "Find my wallet");
  await press(page, "Sign the verdict");
  await page.locator('input[type="url"]').fill(url);
  await press(page, "Send it");
  await page.waitForFunction(`document.body.innerText.includes("The validator has it.")`);
  const list = await fetch(`${url}/v1/attestations?receipt=${made.id}`);
  const { attestations: [{ attestation }] } = await list.json();
  expect(attestation).toMatchObject({
    ...{ receipt: made.id, verdict: "honest", level: 1, checker: alice.hotkey.address },
  });
  // The tab shows what the validator has stored.
  await page.waitForFunction(
    `document.querySelector(".attestation")?.innerText.includes("${alice.hotkey.address}")`,
  );
  await shoot(page, "attested");
  // Another key of the same wallet is not registered.
  await page.select('select[name="account"]', eve.hotkey.address);
  await press(page, "Sign the verdict");
  await page.waitForFunction(`document.querySelector('a[download^="attestation"]')
    .href.includes("${eve.hotkey.address}")`);
  await press(page, "Send it");
  await eventually(() => alertOf(page)).toMatch(/has no key on this subnet/);
  expect(errors.filter((error) => !/403/.test(error))).toEqual([]);
});

/** Shows what is folded away of an order. */
async function unfoldOrder(page: Page): Promise<void> {
  // The room's script comes when it is opened.
  await page.waitForSelector("form.order details:not(.inputs) summary");
  await page.locator("form.order details:not(.inputs) summary").click();
  await page.waitForSelector("form.order details[open]:not(.inputs)");
}

test("an image made in the tab has a receipt, and its steps can be checked here", async () => {
  const { page, errors } = await openTab(browser);
  const view = async (name: string) => {
    await page.evaluate(`location.hash = "#/${name}"`);
    await page.waitForSelector(`nav a[aria-current][href="#/${name}"]`);
  };
  const says = (text: string) => page.waitForFunction(`/${text}/.test(document.body.innerText)`);
  await page.goto(`${site.url}/#/browser`);
  await says("Weights here\\s+0.0 MB");
  await view("create");
  await unfoldOrder(page);
  await page.select('select[name="size"]', "128");
  await page.locator('input[name="seed"]').fill("7");
  await press(page, "Make it");
  await page.waitForSelector(".making canvas");
  await page.waitForSelector(".made img");
  await shoot(page, "generated");
  const shape = () =>
    page.$eval(".made img", (image) => {
      const { width, height } = image.getBoundingClientRect();
      return width / height;
    });
  await eventually(shape).toBe(1);
  await view("browser");
  await says("Weights here\\s+1\\d\\.\\d MB");
  // What was entered is still there after a way back.
  await view("create");
  await eventually(() => page.$eval('select[name="size"]', (select) => select.value)).toBe("128");
  await eventually(() => page.$eval('input[name="seed"]', (input) => input.value)).toBe("7");
  await press(page, "Check it");
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  expect(errors).toEqual([]);
});

/** A folder on an origin of its own, by ranges, for any page; with the ranges that were asked for. */
function serveFolder(folder: string) {
  const ranges: { readonly path: string; readonly bytes: number }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.method === "OPTIONS") {
      const allowed = { ...CORS, "access-control-allow-headers": "range" };
      return new Response(null, { status: 204, headers: allowed });
    }
    const path = decodeURIComponent(new URL(request.url).pathname);
    const bytes = readable(join(folder, path));
    if (!bytes) return new Response("no", { status: 404, headers: CORS });
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
    const [start, end] = from ? [Number(from), Number(to) + 1] : [0, bytes.length];
    const body = request.method === "HEAD" ? null : bytes.slice(start, end);
    if (body) ranges.push({ path, bytes: body.length });
    const headers = {
      ...CORS,
      "access-control-expose-headers": "content-range, content-length",
      "content-length": String(end - start),
      ...from ? { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` } : {},
    };
    return new Response(body, { status: from ? 206 : 200, headers });
  });
  onTestFinished(() => server.shutdown());
  return { url: `http://127.0.0.1:${server.addr.port}/`, ranges };
}

function readable(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}

test("a checkpoint on a file server and a LoRA make an image here, and a step of it is checked", async () => {
  const folder = new URL("../golden/pipelines/pipe-sd1", import.meta.url).pathname;
  const served = serveFolder(folder);
  const { page, errors } = await openTab(browser);
  await page.goto(`${site.url}/#/create`);
  await unfoldOrder(page);
  await page.locator('input[name="model"]').fill(served.url);
  await page.locator('textarea[name="prompt"]').fill("a red bird");
  await page.select('select[name="size"]', "64");
  await page.locator('input[name="steps"]').fill("3");
  const lora =
    new URL("../golden/adapters/lora-sd1-peft/lora.safetensors", import.meta.url).pathname;
  await page.click("details.inputs summary");
  await chooseIn(page, '.inputs input[accept=".safetensors"]', lora);
  await press(page, "Make it");
  await page.waitForSelector(".made img");
  const status = String(await page.evaluate(`document.querySelector("form.order").innerText`));
  expect(status).toMatch(/[1-9]\d*\.\d MB fetched|0\.[1-9] MB fetched/);
  // The decoder's half of the VAE, and no tensor of the encoder's; the receipt then hashes all of it.
  const weights = "vae/diffusion_pytorch_model.safetensors";
  const size = Deno.statSync(join(folder, weights)).size;
  const bytes = served.ranges.filter(({ path }) => path.endsWith(weights))
    .filter((range) => range.bytes < size)
    .reduce((sum, range) => sum + range.bytes, 0);
  console.log(`Tab: of a VAE of ${size} bytes the decoder's ${bytes} were fetched to open it`);
  expect(bytes).toBeGreaterThan(0.3 * size);
  expect(bytes).toBeLessThan(0.8 * size);
  await shoot(page, "generated-checkpoint");
  await press(page, "Check it");
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await reportOf(page)).toMatchObject({ verdict: "honest", level: 3 });
  expect(errors.filter((error) => !/404/.test(error))).toEqual([]);
});

/** A check that was cancelled says so on its ladder, and complains of nothing. */
async function brokenOff(page: Page): Promise<void> {
  await page.waitForFunction(`document.querySelector(".ladder").innerText.includes("broken off")`);
  await eventually(() => alertOf(page)).toBe("");
}

test("a check can be cancelled, and made again", async () => {
  const { page } = await openTab(browser);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await press(page, "Check");
  await press(page, "Cancel");
  await brokenOff(page);
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
});

test("a check whose download has stalled can be cancelled, and made again", async () => {
  const { page } = await openTab(browser);
  const unet = "/models/tau-tiny/unet/model.onnx";
  const asked = () => site.requests.filter(({ path }) => path === unet).length;
  const before = asked();
  site.stall(unet);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await press(page, "Check");
  await vi.waitUntil(() => asked() > before, PATIENCE_MS);
  await press(page, "Cancel");
  await eventually(() => page.evaluate("document.activeElement.textContent")).toBe("Check");
  await brokenOff(page);
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  expect(asked()).toBe(before + 2);
});

test("while onnxruntime loads, whose bytes are not counted, the page says so", async () => {
  const { page } = await openTab(browser);
  const wasm = "/ort/ort-wasm-simd-threaded.wasm";
  const asked = () => site.requests.filter(({ path }) => path === wasm).length;
  const before = asked();
  site.stall(wasm);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await press(page, "Check");
  await vi.waitUntil(() => asked() > before, PATIENCE_MS);
  await page.waitForFunction(
    `document.querySelector('li[data-stage="model"][data-state="running"]')?.innerText
      .includes("fetching and starting onnxruntime")`,
  );
  await press(page, "Cancel");
  await brokenOff(page);
});

test("no serious violation for people who cannot see or use a mouse", async () => {
  const { page } = await openTab(browser);
  await page.setBypassCSP(true);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  await setLevel(page, 2);
  // By keyboard alone.
  await page.focus("form button.main");
  await page.locator('::-p-xpath(//button[normalize-space()="Check"])').wait();
  await page.evaluate(
    `[...document.querySelectorAll("button")].find((b) => b.textContent === "Check").focus()`,
  );
  await page.keyboard.press("Enter");
  await verdictOf(page);
  await eventually(() => page.evaluate("document.activeElement.textContent")).toBe("Check");
  await unfold(page);
  await page.waitForSelector(".plot canvas");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const view of ["verify", "create", "explore", "strength", "browser"]) {
      await page.evaluate(`location.hash = "#/${view}"`);
      await page.waitForSelector(`nav a[aria-current][href="#/${view}"]`);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate("axe.run()") as AxeResults;
      const serious = violations.filter(({ impact }) => /serious|critical/.test(impact ?? ""));
      expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    }
  }
});

test("the page never blocks while its worker checks", async () => {
  const { page } = await openTab(browser);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  const tasks = await pageTasks(page, async () => {
    await press(page, "Check");
    await page.waitForSelector('.ladder [data-state="running"]');
    expect(await verdictOf(page)).toBe("honest");
  });
  expect(tasks.length).toBeGreaterThan(10);
  console.log(`Tab: the longest task on the page's own thread: ${Math.max(...tasks)} ms`);
  expect(tasks.filter((milliseconds) => milliseconds > 50)).toEqual([]);
});

test("no button moves while its page fills", async () => {
  const { page } = await openTab(browser);
  await page.setViewport({ width: 390, height: 1600 });
  await page.evaluateOnNewDocument(`{
    globalThis.places = {};
    const look = () => {
      for (const button of document.querySelectorAll("button.main")) {
        const { x, y } = button.getBoundingClientRect();
        // On the page: it may scroll to what was asked for.
        (places[button.textContent] ??= new Set()).add(x + " " + (y + scrollY));
      }
      requestAnimationFrame(look);
    };
    look();
  }`);
  const seen = async (text: string) => {
    // By then the worker has reported what this browser computes with.
    await page.waitForFunction(`document.querySelector("label option[value=gpu]")?.textContent
      .includes("none")`);
    await page.waitForFunction(`places[${JSON.stringify(text)}] !== undefined`);
    // What would move it has this long to come.
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 200))");
    return await page.evaluate(`[...places[${JSON.stringify(text)}]]`);
  };
  await page.goto(`${site.url}/#/create`);
  expect(await seen("Make it")).toHaveLength(1);
  await page.goto(tabLink(site.url, miner.url, made));
  await page.waitForSelector(".card img");
  expect(await seen("Check")).toHaveLength(1);
  // From here on the receipt is on this machine, and is shown before the worker is there.
  await page.reload();
  await page.waitForSelector(".card img");
  expect(await seen("Check")).toHaveLength(1);
  // Of a receipt that no miner opens less can be checked, which the worker reports after it is shown.
  const { receipt } = await ask(miner, { ...REQUEST, steps: 1 });
  await page.goto(`${site.url}/?none`);
  await paste(page, new TextDecoder().decode(encodeReceipt(receipt)));
  await page.waitForFunction(`document.body.innerText.includes("No miner is known to open")`);
  expect(await seen("Check")).toHaveLength(1);
});

/** Of a canvas's context; Deno's types have no page. */
interface Pixels {
  getImageData(x: number, y: number, width: number, height: number): { readonly data: number[] };
}

describe("with WebGPU", () => {
  let gpu: Browser;
  beforeAll(async () => gpu = await openBrowser(true));
  afterAll(() => gpu.close());
  const small = { ...REQUEST, width: 64, height: 64, steps: 4 };

  async function checkOnGpu(page: Page): Promise<void> {
    await page.waitForSelector(".card img");
    await page.waitForFunction(
      `document.querySelector('option[value="gpu"]')?.disabled === false`,
    );
    await page.locator('::-p-xpath(//label[contains(., "Compute on")]/select)').fill("gpu");
    await press(page, "Check");
  }

  test("a check on the GPU is honest too, and a lost device is replaced", async () => {
    const drawn = await ask(miner, small);
    const { page } = await openTab(gpu);
    await page.goto(tabLink(site.url, miner.url, drawn));
    await page.waitForSelector(".card img");
    await setLevel(page, 2);
    await pick(page, "1");
    await checkOnGpu(page);
    await page.waitForSelector('li[data-stage="network"][data-state="running"]');
    // The GPU's process dies during the check.
    const client = await gpu.target().createCDPSession();
    await client.send("Browser.crashGpuProcess");
    expect(await verdictOf(page)).toBe("honest");
    await eventually(() => textOf(page)).toMatch(/swiftshader.*; a lost device was replaced/i);
    // So are the pictures that were shown before.
    const alphas = () =>
      page.$$eval(
        ".tiles canvas",
        (all) =>
          (all as unknown as { getContext(kind: "2d"): Pixels }[]).map((canvas) =>
            canvas.getContext("2d").getImageData(0, 0, 1, 1).data[3]
          ),
      );
    await eventually(alphas).toEqual([255, 255, 255]);
    await shoot(page, "gpu");
  });

  test("kernels are measured on the bench page, kept as JSON, and compared", async () => {
    const { page, errors } = await openTab(gpu);
    await page.goto(`${site.url}/bench.html`);
    await page.locator('input[name="filter"]').fill("residual 64x64");
    await page.locator('input[name="seconds"]').fill("1");
    await page.locator('input[name="quick"]').click();
    await press(page, "Run");
    await page.waitForSelector("#download:not([hidden])");
    const client = await page.createCDPSession();
    const downloads = { behavior: "allow", downloadPath: join(folder, "downloads") } as const;
    await client.send("Page.setDownloadBehavior", downloads);
    await page.click("#download");
    const file = await downloaded(downloads.downloadPath);
    const json = await Deno.readTextFile(file);
    expect(decodeReport(JSON.parse(json)).hosts[0].rows.length).toBeGreaterThan(3);
    const older = JSON.parse(
      json,
      (key, value) => /^(wall|gpu)Ms$/.test(key) ? value?.map(() => 1e6) : value,
    );
    await Deno.writeTextFile(file, JSON.stringify(older));
    const input = await page.$("#compare");
    await (input as unknown as { uploadFile(path: string): Promise<void> }).uploadFile(file);
    await press(page, "Run");
    // Against a machine that takes a quarter of an hour for each every row is faster; variants that
    // there was no time for before are new.
    await page.waitForSelector("#report em.faster");
    await page.waitForSelector("#download:not([hidden])");
    const marks = await page.$$eval("#report em", (all) => all.map((em) => em.className));
    expect(marks.filter((mark) => !/^(faster|new)$/.test(mark))).toEqual([]);
    expect(marks.length).toBe(await page.$$eval("#report tbody tr", (all) => all.length));
    await shoot(page, "bench");
    expect(errors).toEqual([]);
  });
});

describe("an image that starts from another", () => {
  test("is made along edges under a painted mask, is checked to honest, and leads back to the other", async () => {
    const { page, errors } = await openTab(browser);
    await page.goto(`${site.url}/#/create`);
    await unfoldOrder(page);
    await page.select('select[name="size"]', "64");
    await page.locator('input[name="steps"]').fill("4");
    await page.locator('input[name="seed"]').fill("7");
    await press(page, "Make it");
    await page.waitForSelector(".made img");
    await press(page, "Edit");
    await page.waitForSelector(".paint img");
    await paintAcross(page);
    await chooseIn(page, ".inputs .files:nth-of-type(2) input", await halvesFile());
    await page.waitForSelector('.inputs canvas[aria-label^="The edges"]');
    await shoot(page, "paint");
    await page.locator('textarea[name="prompt"]').fill("a red tau symbol");
    await page.locator('input[name="steps"]').fill("6");
    await press(page, "Make it");
    await page.waitForSelector('.made [title="Show it large"][aria-label*="red tau"] img');
    await shoot(page, "painted");
    await press(page, "Check it");
    await page.waitForSelector(".card img");
    await press(page, "Check");
    const report = await reportOf(page);
    expect(report).toMatchObject({
      verdict: "honest",
      level: 3,
      parent: { receipt: expect.any(String) },
    });
    // Encoded twice by one encoder; the mask is the painted one to the last value.
    expect(report.source).toMatchObject({ maskDiffering: 0 });
    expect(report.source?.error).toBeLessThan(1e-3);
    // The line went through the middle, from side to side; the top was not painted.
    await eventually(() => maskAt(page, 32, 32)).toBe(255);
    expect(await maskAt(page, 32, 4)).toBe(0);
    await eventually(() => textOf(page)).toMatch(
      /It started from this image.*the file is the same/s,
    );
    await page.waitForSelector('.made-from canvas[aria-label^="The edges to follow"]');
    await shoot(page, "checked-edit");
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await page.setViewport({ width: 390, height: 800 });
    await shoot(page, "checked-edit-phone");
    expect(await sidewaysOf(page)).toBe(0);
    await page.setViewport({ width: 1100, height: 1000 });
    await press(page, "a tau symbol in a night sky with stars, golden");
    await page.waitForSelector(`.card[data-receipt="${report.parent?.receipt}"]`);
    expect(errors).toEqual([]);
  });

  test("and did not start from the one that it names is suspect, as by deno task verify", async () => {
    const files = await cheatedFiles();
    const { page } = await openTab(browser);
    await page.goto(site.url);
    await choose(page, files.receipt, files.transcript, files.image);
    await eventually(() => textOf(page)).toMatch(/needs files that are not here/);
    await shoot(page, "asked-for");
    await chooseIn(page, ".made-from .files input", files.source);
    await eventually(() => textOf(page)).not.toMatch(/needs files that are not here/);
    await press(page, "Check");
    const report = await reportOf(page);
    expect(report).toMatchObject({ verdict: "suspect", level: 3 });
    expect(report.source?.error).toBeGreaterThan(0.1);
    await eventually(() => textOf(page)).toMatch(/It did not start from this image/);
    await shoot(page, "cheated-source");
    const { stdout } = await runCli([
      "verify",
      ...Object.values(files),
      "--level",
      "3",
      "--json",
      "--compute",
      "cpu",
    ]);
    const same: Report = JSON.parse(stdout);
    expect(same.verdict).toBe(report.verdict);
    expect(same.reasons).toEqual(report.reasons);
  });
});

/** From the left side to the right, through the middle. */
async function paintAcross(page: Page): Promise<void> {
  const canvas = await page.waitForSelector(".paint canvas");
  const { x = 0, y = 0, width = 0, height = 0 } = await canvas?.boundingBox() ?? {};
  await page.mouse.move(x + 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width - 2, y + height / 2, { steps: 4 });
  await page.mouse.up();
}

/** Pixels by which the page is wider than the screen. */
async function sidewaysOf(page: Page): Promise<number> {
  return Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
}

/** A value of the mask that the check shows. */
async function maskAt(page: Page, x: number, y: number): Promise<number> {
  return Number(
    await page.evaluate(
      `document.querySelector('.made-from canvas[aria-label="The mask: white is made anew"]')
      .getContext("2d").getImageData(${x}, ${y}, 1, 1).data[0]`,
    ),
  );
}

/** Black on the left, white on the right: a picture with one edge. */
async function halvesFile(): Promise<string> {
  const data = new Uint8ClampedArray(4 * 64 * 64).fill(255);
  for (let i = 0; i < 64 * 64; i++) if (i % 64 < 32) data.fill(0, 4 * i, 4 * i + 3);
  const path = join(folder, "halves.png");
  await Deno.writeFile(path, await encodeImage({ width: 64, height: 64, data }, "png"));
  return path;
}

/** A run from one image whose receipt names another; its files, all of them and the image's name. */
async function cheatedFiles() {
  const model = await openKnownModel("embedded");
  await using engine = await localHost(await cpuRuntime(), "a test").open(model.files);
  const flat = (level: number): RgbaImage => {
    const data = new Uint8ClampedArray(4 * 64 * 64).fill(level);
    return { width: 64, height: 64, data: data.map((value, i) => i % 4 === 3 ? 255 : value) };
  };
  const named = await encodeImage(flat(220), "png");
  const source = { image: flat(30) };
  const other = {
    ...{ defaults: engine.defaults, backend: engine.backend },
    generate: (...[request, options]: Parameters<typeof engine.generate>) =>
      engine.generate(request, { ...options, source }),
  };
  const fields = { prompt: "a red tau symbol", width: 64, height: 64, steps: 5 };
  const run = await signedRun(other, await model.facts(), { ...fields, image: fileHash(named) });
  const write = async (name: string, bytes: Uint8Array) => {
    await Deno.writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  return {
    receipt: await write("cheated.json", encodeReceipt(run.receipt)),
    transcript: await write("cheated.safetensors", run.transcript),
    image: await write("cheated.png", run.image),
    source: await write("named.png", named),
  };
}
