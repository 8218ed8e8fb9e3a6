import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { join } from "node:path";
import { openHotkey } from "../../core/keys/mod.ts";
import { type Attestation, attestationMessage, type ImageAnswer } from "../../core/protocol/mod.ts";
import { encodeReceipt, type Receipt, receiptId, signReceipt } from "../../core/transcript/mod.ts";
import { encodeImage } from "../../core/image/mod.ts";
import { cpuRuntime } from "../../server/compute/mod.ts";
import { localHost } from "../../server/compute/host.ts";
import { startProcess } from "../../server/demo/processes.ts";
import { openKnownModel } from "../../server/models/mod.ts";
import { type SignedRun, signedRun } from "../fixtures/signed_run.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { serveSite } from "./site_server.ts";
import {
  alertOf,
  ask,
  choose,
  CORS,
  eventually,
  openBrowser,
  openTab,
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
let made: ImageAnswer;
let other: ImageAnswer;

beforeAll(async () => {
  world = await startTabWorld();
  made = world.made;
  other = await ask(world.miner, { ...REQUEST, prompt: "a red tau symbol", steps: 4 });
});

afterAll(() => world[Symbol.asyncDispose]());

function receiptText(receipt: Receipt): string {
  return new TextDecoder().decode(encodeReceipt(receipt));
}

/** As a miner with another key would state it. */
async function resigned(change: Partial<Receipt>): Promise<Receipt> {
  const hotkey = openHotkey(undefined);
  const { signature: _, ...statement } = { ...made.receipt, ...change, miner: hotkey.address };
  return await signReceipt(statement, hotkey.sign);
}

/** What `deno task generate` makes of a small request. */
async function smallRun(seed: number): Promise<SignedRun> {
  const known = await openKnownModel("embedded");
  const host = localHost(await cpuRuntime(), "a test");
  await using engine = await host.open(known.files);
  const request = { ...REQUEST, seed, width: 64, height: 64, steps: 6 };
  return await signedRun(engine, await known.facts(), request);
}

async function shownReceipt(page: Page, id: string): Promise<void> {
  await page.waitForFunction(`document.querySelector('.card[data-receipt="${id}"]')`);
}

/** The files that `deno task generate` writes, whose miner is unknown. */
async function filesOfRun(): Promise<Record<"receipt" | "transcript" | "image", string>> {
  const run = await smallRun(5);
  const folder = await temporaryFolder();
  const write = async (name: string, bytes: Uint8Array) => {
    await Deno.writeFile(join(folder, name), bytes);
    return join(folder, name);
  };
  const spaced = JSON.stringify(JSON.parse(receiptText(run.receipt)), null, 2);
  return {
    receipt: await write("r.json", new TextEncoder().encode(spaced)),
    transcript: await write("t.safetensors", run.transcript),
    image: await write("tau.png", run.image),
  };
}

describe("a receipt comes in", () => {
  test("from a validator's list, without invalid entries, and with what others attested", async () => {
    const { url, ledger } = await startTabValidator(() => true);
    const entryOf = (image: ImageAnswer) => ({ ...image, miner: world.miner.url });
    ledger.receipts.add(made.id, entryOf(made), 9);
    ledger.receipts.add("b", { ...entryOf(other), receipt: { prompt: "junk" } }, 9);
    ledger.receipts.add("c", { ...entryOf(other), id: "ab".repeat(32) }, 9);
    ledger.receipts.add("d", "no object", 9);
    const { hotkey: { address, sign } } = await wallet("//Alice");
    const attestation: Attestation = {
      ...{
        version: 1 as const,
        receipt: made.id,
        verdict: "honest" as const,
        level: 2,
        steps: [1],
        at: Date.now(),
      },
      checker: address,
    };
    const signature = (await sign(attestationMessage(attestation))).toHex();
    ledger.attestations.add({ attestation, signature: `0x${signature}` }, 9);
    const forged = { ...attestation, checker: (await wallet("//Eve")).hotkey.address };
    ledger.attestations.add({ attestation: forged, signature: `0x${signature}` }, 9);

    const { page, errors } = await openTab(world.browser);
    await page.goto(world.site.url);
    await paste(page, url);
    await page.waitForFunction(`document.body.innerText.includes("Offered to be checked")`);
    await eventually(() => page.$$eval(".offered li", (all) => all.length)).toBe(1);
    await shoot(page, "list");
    await page.locator(".offered button.receipt").click();
    await page.waitForSelector(".card img");
    await setLevel(page, 1);
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    await unfold(page);
    await page.waitForSelector(".attestation");
    await eventually(() => page.$$eval(".attestation", (all) => all.map((each) => each.innerText)))
      .toEqual([
        expect.stringMatching(new RegExp(`${address}\\s+honest, level 2, 1 step\\s`)),
      ]);
    expect(errors).toEqual([]);
  });

  test("from the miner whose page it is, where receipts are public", async () => {
    const { folder, dist } = world;
    await using shown = await startTabMiner(join(folder, "shown"), dist, { publicReceipts: true });
    await ask(shown, REQUEST);
    const { page, errors } = await openTab(world.browser);
    await page.goto(shown.url);
    await page.waitForSelector(".offered li");
    await shoot(page, "own-list");
    await page.locator(".offered button.receipt").click();
    await page.waitForSelector(".card img");
    await setLevel(page, 1);
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    expect(errors).toEqual([]);
  });

  test("and stays, when what the page's own server lists comes later", async () => {
    const { url, ledger } = await startTabValidator(() => true);
    ledger.receipts.add(made.id, { ...made, miner: world.miner.url }, 9);
    const { page } = await openTab(world.browser);
    const release = world.site.stall("/receipts.json");
    await page.goto(world.site.url);
    await paste(page, url);
    await page.waitForSelector(".offered li");
    release();
    // What is kept here is read after it.
    await page.waitForFunction(
      `document.body.innerText.includes("Nothing has been opened here yet")`,
    );
    await eventually(() => page.$$eval(".offered li", (all) => all.length)).toBe(1);
  });

  test("unless the validator's answer is invalid, or endless", async () => {
    let sent = 0;
    const endless = () =>
      new ReadableStream({
        pull: (controller) => {
          sent += 65_536;
          if (sent > 2 ** 28) controller.close();
          else controller.enqueue(new Uint8Array(65_536).fill(32));
        },
      });
    const json = { headers: { ...CORS, "content-type": "application/json" } };
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    for (
      const [answer, why] of [
        [() => new Response("<p>hello</p>", { headers: CORS }), /not JSON/],
        [() => new Response("{", json), /JSON/],
        [() => Response.json(null, json), /There are no receipts to look at/],
        [() => new Response(endless(), json), /its answer is too long/],
      ] as const
    ) {
      await paste(page, spoil(world.miner, answer));
      await eventually(() => alertOf(page)).toMatch(why);
    }
    expect(sent).toBeLessThan(2 ** 27);
  });

  test("unless the miner no longer has it, which is said in words", async () => {
    const { page } = await openTab(world.browser);
    const moved = {
      ...made,
      token: `${made.token.slice(0, -1)}${made.token.endsWith("A") ? "B" : "A"}`,
    };
    for (const link of [moved, { ...made, id: "ab".repeat(32) }]) {
      await page.goto("about:blank");
      await page.goto(tabLink(world.site.url, world.miner.url, link));
      await eventually(() => alertOf(page)).toMatch(/the miner no longer has it/);
    }
    // The receipt is there, and its image is not any more.
    const url = spoil(
      world.miner,
      (path, answer) =>
        path.endsWith("/image")
          ? Promise.resolve(new Response(null, { status: 404, headers: CORS }))
          : answer(),
    );
    await page.goto("about:blank");
    await page.goto(tabLink(world.site.url, url, made));
    await eventually(() => alertOf(page)).toMatch(/Cannot fetch image: the miner no longer has it/);
  });

  test("by a link or a text that is dropped, or a file", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    const drop = (fill: string) =>
      page.evaluate(`{
        const dataTransfer = new DataTransfer();
        ${fill};
        document.querySelector(".drop").dispatchEvent(
          new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      }`);
    const link = `# a comment\r\n${tabLink(world.site.url, world.miner.url, made)}\r\n`;
    await drop(`dataTransfer.setData("text/uri-list", ${JSON.stringify(link)})`);
    await shownReceipt(page, made.id);
    const text = JSON.stringify(receiptText(other.receipt));
    await drop(`dataTransfer.setData("text/plain", ${text})`);
    await shownReceipt(page, other.id);
    const own = await resigned({});
    await drop(`dataTransfer.items.add(
      new File([${JSON.stringify(receiptText(own))}], "r.json", { type: "application/json" }))`);
    await shownReceipt(page, receiptId(own));
  });

  test("with transcript and image as files: all is checked, and no miner is asked", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    const { receipt, transcript, image } = await filesOfRun();
    await choose(page, image, transcript, receipt);
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await reportOf(page)).toMatchObject({ verdict: "honest", level: 3 });
    // The image alone leads back to its receipt, which this browser has kept.
    await page.goto("about:blank");
    await page.goto(world.site.url);
    await choose(page, image);
    await page.waitForSelector(".card img");
    await eventually(() => alertOf(page)).toBe("");
  });

  test("files that do not belong together, or lead to no receipt, are named", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    const [own, foreign] = [await filesOfRun(), await temporaryFolder()];
    const other = join(foreign, "other.png");
    await Deno.writeFile(
      other,
      await encodeImage(
        { width: 1, height: 1, data: new Uint8ClampedArray(4).fill(255) },
        "png",
      ),
    );
    const text = join(foreign, "notes.txt");
    await Deno.writeTextFile(text, "hello");
    for (
      const [paths, why] of [
        [[other], /Cannot find the image's receipt/],
        [[own.transcript], /drop its receipt with it/],
        [[text], /notes.txt: it is no receipt/],
      ] as const
    ) {
      await choose(page, ...paths);
      await eventually(() => alertOf(page)).toMatch(why);
    }
    // Another image than the receipt's is not taken for it.
    await choose(page, own.receipt, other);
    await page.waitForFunction(
      `document.querySelector(".card")?.innerText.includes("The image is missing")`,
    );
    // A transcript of another run fails its proof.
    const strange = await smallRun(6);
    await Deno.writeFile(own.transcript, strange.transcript);
    await choose(page, own.receipt, own.transcript);
    await page.waitForSelector(".card");
    await setLevel(page, 1);
    await press(page, "Check");
    expect(await reportOf(page)).toMatchObject({ verdict: "invalid", code: "proof_invalid" });
  });

  test("by the file picker; a file that is too long is not read", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    const [long, file] = ["long.json", "picked.json"].map((name) => join(world.folder, name));
    const input = await page.$('input[type="file"]') as unknown as
      | { uploadFile(path: string): Promise<void> }
      | null;
    await Deno.writeTextFile(long, " ".repeat(2 ** 20 + 1));
    await input?.uploadFile(long);
    await eventually(() => alertOf(page)).toMatch(/the file is too long/);
    await Deno.writeFile(file, encodeReceipt(made.receipt));
    await input?.uploadFile(file);
    await shownReceipt(page, made.id);
    // No miner is known to open its steps.
    await page.waitForFunction(`document.body.innerText.includes("No miner is known to open")`);
    await press(page, "Check");
    expect(await reportOf(page)).toMatchObject({ verdict: "honest", level: 0, opened: [] });
    await eventually(() => textOf(page)).toMatch(/Honest so far/);
  });

  test("and the address is its own: it is there after a reload, and after a way back", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    await paste(page, tabLink(world.site.url, world.miner.url, made));
    await shownReceipt(page, made.id);
    await paste(page, receiptText(other.receipt));
    await shownReceipt(page, other.id);
    await page.reload();
    await shownReceipt(page, other.id);
    await page.goBack();
    await shownReceipt(page, made.id);
    await page.evaluate(`location.hash = "#/verify"`);
    await page.waitForFunction(`location.hash.includes("${made.id}")`);
  });

  test("with words for its way, and without a list that it would push aside", async () => {
    const held = Promise.withResolvers<void>();
    const url = spoil(world.miner, async (_, answer) => {
      await held.promise;
      return await answer();
    });
    const { page } = await openTab(world.browser);
    await page.goto(tabLink(world.site.url, url, made));
    await page.waitForFunction(`document.body.innerText.includes("Fetching it")`);
    expect(await textOf(page)).not.toContain("On this machine");
    held.resolve();
    await shownReceipt(page, made.id);
    await page.waitForFunction(`document.body.innerText.includes("On this machine") &&
      !document.body.innerText.includes("Fetching it")`);
    // As a text it is the same receipt: its image and its miner stay known.
    await paste(page, receiptText(other.receipt));
    await shownReceipt(page, other.id);
    await paste(page, receiptText(made.receipt));
    await shownReceipt(page, made.id);
    await page.waitForSelector(".card img");
    await unfold(page);
    await eventually(() => textOf(page)).toContain(url);
  });

  test("by the Enter key", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    await page.locator('textarea[name="text"]').fill(
      tabLink(world.site.url, world.miner.url, made),
    );
    await page.keyboard.press("Enter");
    await shownReceipt(page, made.id);
  });

  test("and the way back leads to the page before any was opened", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    await paste(page, receiptText(made.receipt));
    await shownReceipt(page, made.id);
    await page.goBack();
    await page.waitForFunction(`!document.querySelector(".card")`);
    await page.waitForSelector(`.kept li[data-receipt="${made.id}"]`);
    await page.goForward();
    await shownReceipt(page, made.id);
  });

  test("and is scrolled to when it was opened at the end of a long page", async () => {
    const { page } = await openTab(world.browser);
    await page.setViewport({ width: 1100, height: 500 });
    await page.goto(world.site.url);
    for (const { id, receipt } of [made, other]) {
      await paste(page, receiptText(receipt));
      await shownReceipt(page, id);
    }
    await page.evaluate(`scrollTo(0, document.body.scrollHeight)`);
    await page.locator(".kept li:last-child button").click();
    await shownReceipt(page, made.id);
    await page.waitForFunction(`document.activeElement.className === "card"`);
    const top = () => page.$eval(".card", (card) => card.getBoundingClientRect().top);
    await eventually(top).toSatisfy((pixels: number) => pixels >= 0 && pixels < 250);
  });

  test("of a miner that failed once, when the same link is opened again", async () => {
    let asked = 0;
    const url = spoil(
      world.miner,
      (_, answer) =>
        asked++ === 0
          ? Response.json({ error: { message: "not now" } }, { status: 503, headers: CORS })
          : answer(),
    );
    const { page } = await openTab(world.browser);
    await page.goto(tabLink(world.site.url, url, made));
    await eventually(() => alertOf(page)).toMatch(/it answered 503: not now/);
    await paste(page, tabLink(world.site.url, url, made));
    await shownReceipt(page, made.id);
    await eventually(() => alertOf(page)).toBe("");
  });
});

describe("by plain http from another machine, where browsers offer less", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser(false, "--host-resolver-rules=MAP stepwise.test 127.0.0.1");
  });
  afterAll(() => browser.close());

  test("files are checked to the image, on the CPU, and the page says why there is no GPU", async () => {
    const { page, errors } = await openTab(browser);
    const { port } = new URL(world.site.url);
    await page.goto(`http://stepwise.test:${port}/`);
    expect(await page.evaluate("[isSecureContext, typeof crypto.subtle]")).toEqual([
      false,
      "undefined",
    ]);
    const { receipt, transcript, image } = await filesOfRun();
    await choose(page, receipt, transcript, image);
    await page.waitForSelector(".card img");
    await press(page, "Check");
    expect(await reportOf(page)).toMatchObject({ verdict: "honest", level: 3 });
    await page.evaluate(`location.hash = "#/browser"`);
    await page.waitForFunction(`document.body.innerText.includes("WebGPU to pages by https")`);
    // Chrome says that it isolates no such page.
    expect(errors.filter((text) => !/Cross-Origin-Opener-Policy/.test(text))).toEqual([]);
  });
});

describe("an untrusted receipt never blanks the page", () => {
  test("with an impossible time, and a prompt without a text form", async () => {
    const hostile = await resigned({
      // The last millisecond of a clock.
      times: { started: 0, finished: 8.64e15 },
      request: { ...made.receipt.request, prompt: { toString: 1 } as unknown as string },
    });
    const { page, errors } = await openTab(world.browser);
    await page.goto(world.site.url);
    await paste(page, receiptText(hostile));
    await shownReceipt(page, receiptId(hostile));
    await unfold(page);
    await eventually(() => textOf(page)).toContain("+275760-09-13 00:00:00 UTC");
    await page.reload();
    await shownReceipt(page, receiptId(hostile));
    expect(errors).toEqual([]);
  });

  test("nor does one that cannot be shown at all", async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    await paste(page, receiptText(made.receipt));
    await shownReceipt(page, made.id);
    await page.evaluate(`new Promise((resolve) => {
      const opening = indexedDB.open("stepwise");
      opening.onsuccess = () => {
        const writing = opening.result.transaction("receipts", "readwrite");
        writing.objectStore("receipts").put({ id: "${made.id}", receipt: {}, at: 1 });
        writing.oncomplete = () => resolve(opening.result.close());
      };
    })`);
    await page.reload();
    await page.waitForFunction(`document.body.innerText.includes("Cannot show the receipt")`);
    await paste(page, receiptText(other.receipt));
    await shownReceipt(page, other.id);
  });

  test(
    "of a model that this tab does not have: its signature is checked, and no more",
    async () => {
      const foreign = await resigned({ model: { ...made.receipt.model, id: "hf:some/model@1" } });
      const { page } = await openTab(world.browser);
      await page.goto(world.site.url);
      await paste(page, receiptText(foreign));
      await page.waitForFunction(
        `document.body.innerText.includes("does not have the receipt's model")`,
      );
      await press(page, "Check");
      expect(await reportOf(page)).toMatchObject({
        ...{ verdict: "honest", level: 0, steps: [], statementOnly: true },
      });
      // The verdict and the ladder say so, and it cannot be attested.
      const only = /only the signature, the time and the hash of a given image/g;
      await eventually(async () => (await textOf(page)).match(only)).toHaveLength(2);
      const text = await textOf(page);
      expect(await page.$(".verdict[data-verdict=honest]")).toBeNull();
      expect(text).not.toMatch(/honest|Attestations/i);
      expect(text).toContain("Signed, and no more checked");
      const forged = { ...foreign, request: { ...foreign.request, seed: "6" } };
      await paste(page, receiptText(forged));
      await shownReceipt(page, receiptId(forged));
      await press(page, "Check");
      expect(await reportOf(page)).toMatchObject({ verdict: "invalid", code: "signature_invalid" });
    },
  );
});

test("of a receipt with fewer steps than are drawn by default all are drawn", async () => {
  const short = await ask(world.miner, { ...REQUEST, steps: 2 });
  const { page } = await openTab(world.browser);
  await page.goto(tabLink(world.site.url, world.miner.url, short));
  await page.waitForSelector(".card img");
  await setLevel(page, 1);
  await eventually(() => page.$eval("input[type=number]", (input) => input.value)).toBe("2");
  await press(page, "Check");
  expect(await reportOf(page)).toMatchObject({ verdict: "honest", opened: [0, 1], of: 2 });
});

test("of a wide image of many steps all that is drawn is visible, in its shape", async () => {
  const wide = await ask(world.miner, { ...REQUEST, width: 256, height: 128, steps: 26 });
  const { page } = await openTab(world.browser);
  await page.setViewport({ width: 500, height: 1000 });
  await page.goto(tabLink(world.site.url, world.miner.url, wide));
  await page.waitForSelector(".card img");
  await setLevel(page, 2);
  await pick(page, "24, 25");
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  await unfold(page);
  await page.waitForSelector(".compare canvas");
  // A strip that scrolls would hide the last ones.
  const hidden = () =>
    page.$eval(".strip", (strip) => {
      const { right: edge } = strip.getBoundingClientRect();
      const drawn = [...strip.querySelectorAll("[data-drawn=true]")];
      return drawn.map((each) => each.getBoundingClientRect().right > edge);
    });
  await eventually(hidden).toEqual([false, false]);
  const shapes = () =>
    page.$$eval(".compare canvas", (all) =>
      all.map((each) => {
        const { width, height } = each.getBoundingClientRect();
        return width / height;
      }));
  // Its frame of one pixel is in it.
  await eventually(shapes).toEqual(Array.from({ length: 6 }, () => expect.closeTo(2, 1)));
});

test("what a check says is on the screen once its button is pressed", async () => {
  const { page } = await openTab(world.browser);
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(tabLink(world.site.url, world.miner.url, made));
  await page.waitForSelector(".card img");
  await setLevel(page, 1);
  await press(page, "Check");
  expect(await verdictOf(page)).toBe("honest");
  for (const shown of [".ladder", ".verdict"]) {
    const place = () =>
      page.$eval(shown, (each) => {
        const { top, bottom } = each.getBoundingClientRect();
        return { top, bottom };
      });
    await eventually(place, shown).toSatisfy(({ top, bottom }) => top >= 0 && bottom <= 900);
  }
});

test(
  "what went wrong in one view is not said in the next, which has a title of its own",
  async () => {
    const { page } = await openTab(world.browser);
    await page.goto(world.site.url);
    await paste(page, "hello");
    await eventually(() => alertOf(page)).toMatch(/Cannot open this/);
    await page.evaluate(`location.hash = "#/create"`);
    await page.waitForFunction(`document.title === "Create - Stepwise"`);
    await eventually(() => alertOf(page)).toBe("");
  },
);

describe("what a check says is of that check", () => {
  test("a step that is not opened is no verdict, and takes none away", async () => {
    let opens = true;
    const url = spoil(
      world.miner,
      (path, answer) =>
        opens || !path.includes("/steps/")
          ? answer()
          : Response.json({ error: { message: "gone" } }, { status: 404, headers: CORS }),
    );
    const { page } = await openTab(world.browser);
    await page.goto(tabLink(world.site.url, url, made));
    await page.waitForSelector(".card img");
    await setLevel(page, 1);
    await press(page, "Check");
    expect(await verdictOf(page)).toBe("honest");
    opens = false;
    await press(page, "Check");
    await page.waitForSelector('.verdict[data-verdict="withheld"]');
    await eventually(() => textOf(page)).toMatch(/The miner did not open a step/);
    expect(await textOf(page)).not.toMatch(/signed does not hold/);
    await shoot(page, "withheld");
    await page.reload();
    expect(await verdictOf(page)).toBe("honest");
  });

  test("another receipt that is looked at meanwhile shows nothing of it", async () => {
    const held = Promise.withResolvers<void>();
    const url = spoil(world.miner, async (path, answer) => {
      if (path.includes("/steps/")) await held.promise;
      return await answer();
    });
    const { page } = await openTab(world.browser);
    await page.goto(tabLink(world.site.url, url, made));
    await page.waitForSelector(".card img");
    await setLevel(page, 1);
    await press(page, "Check");
    await page.waitForSelector('li[data-stage="proofs"][data-state="running"]');
    // Another view and back: it still runs, and can still be cancelled.
    await page.evaluate(`location.hash = "#/browser"`);
    await page.waitForSelector("dl");
    await page.evaluate(`location.hash = "#/verify"`);
    await page.waitForSelector('li[data-stage="proofs"][data-state="running"]');
    await page.locator('::-p-xpath(//button[normalize-space()="Cancel"])').wait();
    await paste(page, tabLink(world.site.url, world.miner.url, other));
    await shownReceipt(page, other.id);
    await eventually(() => page.$(".ladder")).toBeNull();
    held.resolve();
    // Its verdict comes, is kept, and is not the other's.
    await page.waitForFunction(
      `document.querySelector('.kept li[data-receipt="${made.id}"]').innerText.includes("Honest")`,
    );
    await eventually(() => page.$(".verdict[data-verdict]")).toBeNull();
    await eventually(() => page.$(".ladder")).toBeNull();
  });
});

test("a worker that does not load is reported, and nothing waits for it", async () => {
  await using site = serveSite(world.dist);
  site.lose(/assets\/worker/);
  const { page } = await openTab(world.browser);
  await page.goto(tabLink(site.url, world.miner.url, made));
  await eventually(() => alertOf(page)).toMatch(/the page's worker did not load/);
  await page.waitForFunction(`document.querySelector(".drop [role=status]").textContent === ""`);
  await eventually(() => textOf(page)).toContain("Nothing has been opened here yet");
});

test("onnxruntime that does not load is reported in words", async () => {
  await using site = serveSite(world.dist);
  site.lose(/^\/ort\//);
  const { page } = await openTab(world.browser);
  await page.goto(`${site.url}/#/create`);
  await press(page, "Make it");
  await eventually(() => alertOf(page)).toMatch(
    /^Cannot load onnxruntime: it did not come from this page/,
  );
});

test("the page says whose it is before its script is there", async () => {
  await using site = serveSite(world.dist);
  site.lose(/assets\/index-.*\.js/);
  const { page } = await openTab(world.browser);
  await page.goto(site.url);
  await eventually(() => textOf(page)).toMatch(/^Stepwise\s+Loading/);
});

test("a database that cannot be opened once is opened the next time", async () => {
  const { page } = await openTab(world.browser);
  await page.evaluateOnNewDocument(`{
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function () {
      IDBFactory.prototype.open = open;
      throw new DOMException("not now", "UnknownError");
    };
  }`);
  await page.goto(world.site.url);
  await page.waitForFunction(`document.body.innerText.includes("Nothing has been opened here")`);
  await paste(page, receiptText(made.receipt));
  await page.waitForFunction(
    `document.querySelector(".kept li")?.dataset.receipt === "${made.id}"`,
  );
});

test("a full disk makes room by deleting the older half", async () => {
  const { page } = await openTab(world.browser);
  // A store that holds four receipts.
  await page.evaluateOnNewDocument(`{
    const { put } = IDBObjectStore.prototype;
    let room = 4;
    const remove = IDBObjectStore.prototype.delete;
    IDBObjectStore.prototype.put = function (value) {
      if (this.name === "receipts" && room-- <= 0) {
        room = 0;
        throw new DOMException("it is full", "QuotaExceededError");
      }
      return put.call(this, value);
    };
    IDBObjectStore.prototype.delete = function (key) {
      if (this.name === "receipts") room++;
      return remove.call(this, key);
    };
  }`);
  await page.goto(world.site.url);
  const receipts = await Promise.all(Array.from({ length: 5 }, () => resigned({})));
  for (const receipt of receipts) {
    await paste(page, receiptText(receipt));
    await shownReceipt(page, receiptId(receipt));
  }
  const kept = receipts.slice(2).map((receipt) => receiptId(receipt)).reverse();
  await page.waitForFunction(
    `JSON.stringify([...document.querySelectorAll(".kept li")].map(({ dataset }) => dataset.receipt)) ===
      ${JSON.stringify(JSON.stringify(kept))}`,
  );
  await eventually(() => alertOf(page)).toBe("");
});

test("a miner that is a process of its own is checked to honest", async () => {
  const main = new URL("../../server/main.ts", import.meta.url).pathname;
  const [bob, alice] = [await wallet("//Bob"), await wallet("//Alice")];
  await using miner = await startProcess("miner", [
    ...[main, "miner", "--no-chain", "--wallet.hotkey", "//Bob", "--subtensor.network", "devnet"],
    ...["--compute", "cpu", "--axon.ip", "127.0.0.1", "--axon.port", "0"],
    ...["--storage", join(world.folder, "process"), "--whitelist.hotkeys", alice.hotkey.address],
  ], join(world.folder, "miner.log"));
  const image = await ask({ url: miner.url, hotkey: bob.hotkey.address }, REQUEST);
  const { page, errors } = await openTab(world.browser);
  await page.goto(tabLink(world.site.url, miner.url, image));
  await page.waitForSelector(".card img");
  await press(page, "Check");
  expect(await reportOf(page)).toMatchObject({ verdict: "honest", level: 3, of: 20 });
  expect(errors).toEqual([]);
});
