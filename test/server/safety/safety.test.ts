import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { promptAt, PROMPTS } from "../../../core/content/mod.ts";
import { encodeImage } from "../../../core/image/mod.ts";
import { type NsfwPolicy, Safety } from "../../../server/safety/mod.ts";
import { ImageClassifier } from "../../../server/safety/image_classifier.ts";
import { USER_PROMPTS } from "../../fixtures/user_prompts.ts";

const classifier = new ImageClassifier();
const safety = new Safety(classifier);
afterAll(() => safety[Symbol.asyncDispose]());
const screen = (prompt: string, policy: NsfwPolicy = "block") =>
  safety.screen({ prompt, prompt2: "" }, policy);

describe("prompts", () => {
  test.each([
    "a naked woman on a beach",
    "NUDE model, oil painting",
    "nud3 portrait",
    "n u d e portrait",
    "p.o.r.n",
    "a couple having sex",
    "hentai",
    "ｎａｋｅｄ",
    "nu\u0301de",
    "portrait, topless",
  ])("%s: blocked", (prompt) => expect(screen(prompt).action).toBe("block"));

  test.each(["sexy elf", "woman in lingerie", "a witch with a huge boob"])(
    "%s: never refused, but said",
    (prompt) => expect(screen(prompt).action).toBe("flag"),
  );

  test.each([
    "a naked mole rat in a tunnel, seen with the naked eye",
    "nude lipstick on a table",
    "great tits at a feeder",
    "a rooster, cock of the walk",
    "pussy willow branches in a vase",
    "rapeseed field at noon",
    "the streets of Scunthorpe, Essex",
    "an assassin in the rain",
    "shiitake mushrooms",
    "children playing football",
    "a 7 year old boy blowing out candles",
    "a 1950 car, 35mm, f 1.8",
  ])("%s: passes", (prompt) => {
    if (!prompt.includes("cock of the walk")) expect(screen(prompt).findings).toEqual([]);
    else expect(screen(prompt).action).not.toBe("block");
  });

  test.each([
    "a naked child",
    "sexy schoolgirl",
    "12 year old in lingerie",
    "loli",
    "te3nager, n.u.d.e",
  ])("%s: refused by every policy", (prompt) => {
    for (const policy of ["off", "flag", "block"] as const) {
      expect(screen(prompt, policy)).toMatchObject({ action: "block" });
    }
  });

  test("what is asked for in the second prompt counts, what is not wanted does not", () => {
    expect(safety.screen({ prompt: "a hill", prompt2: "porn" }, "block").action).toBe("block");
    const request = { prompt: "a hill", prompt2: "", negativePrompt: "nsfw, nude" };
    expect(safety.screen(request, "block").action).toBe("pass");
  });

  test("off looks for nothing else, flag refuses nothing else", () => {
    expect(screen("porn", "off")).toEqual({ action: "pass", findings: [] });
    expect(screen("porn", "flag").action).toBe("flag");
  });

  test("ordinary prompts pass, every one", () => {
    const drawn = Array.from({ length: 300 }, (_, k) => promptAt(BigInt(k) * PROMPTS / 300n));
    const prompts = [...USER_PROMPTS, ...drawn];
    expect(prompts.length).toBeGreaterThan(100);
    expect(prompts.filter((prompt) => screen(prompt).action !== "pass")).toEqual([]);
  });
});

describe("images", () => {
  test("the network is nsfwjs's: its own numbers for a noise image, to four digits", async () => {
    // TensorFlow.js 4.22 gave .0018 .0001 .9980 .0000 .0000 for floats of the same bytes.
    const data = new Uint8ClampedArray(4 * 224 * 224).fill(255);
    for (let k = 0; k < 3 * 224 * 224; k++) {
      data[4 * Math.floor(k / 3) + k % 3] = (k * 2654435761 >>> 13) & 255;
    }
    const file = await encodeImage({ width: 224, height: 224, data }, "png");
    const { drawing, hentai, neutral, porn, sexy } = await classifier.classify(file);
    expect([drawing, hentai, neutral, porn, sexy].map((share) => share.toFixed(3)))
      .toEqual(["0.002", "0.000", "0.998", "0.000", "0.000"]);
  });

  test("images of the embedded model pass", async () => {
    const file = new Uint8Array(readFileSync("models/tau-tiny/samples.png"));
    expect(await safety.screenImage(file, "block")).toEqual({ action: "pass", findings: [] });
  });

  test.each([[0.9, "block"], [0.6, "flag"], [0.4, "pass"]])(
    "pornography to %f: %s",
    async (share, action) => {
      const shares = {
        drawing: 0,
        hentai: share / 2,
        neutral: 1 - share,
        porn: share / 2,
        sexy: 0,
      };
      const classify = () => Promise.resolve(shares);
      const own = new Safety({ classify, [Symbol.asyncDispose]: () => Promise.resolve() });
      expect((await own.screenImage(new Uint8Array(), "block")).action).toBe(action);
      const told = own.under("block").image(new Uint8Array());
      if (action === "block") {
        await expect(told).rejects.toMatchObject({
          code: "content_blocked",
          message: "Cannot generate: the image looks like pornography (90 %)",
        });
      } else expect(await told).toHaveLength(action === "flag" ? 1 : 0);
    },
  );

  test("what is no image is no answer", async () => {
    await expect(safety.screenImage(new Uint8Array(9), "block"))
      .rejects.toMatchObject({ code: "inference_failed" });
  });
});
