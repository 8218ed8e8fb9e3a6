import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Hono } from "hono";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError } from "../../../core/error.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { fileHash, receiptId } from "../../../core/transcript/mod.ts";
import { decodeUserSubmission } from "../../../server/content/submission.ts";
import { discordApp } from "../../../server/discord/app.ts";
import { Bot } from "../../../server/discord/bot.ts";
import type { BotParts } from "../../../server/discord/bot_parts.ts";
import { ButtonIds } from "../../../server/discord/button_id.ts";
import { ContentService } from "../../../server/discord/content_service.ts";
import { ImageService } from "../../../server/discord/image_service.ts";
import { InteractionGuard } from "../../../server/discord/interaction_guard.ts";
import { DiscordRest } from "../../../server/discord/rest.ts";
import { SLASH_COMMANDS } from "../../../server/discord/slash_commands.ts";
import type { Gateway, Make } from "../../../server/gateway/mod.ts";
import { listen } from "../../../server/http/mod.ts";
import { Safety } from "../../../server/safety/mod.ts";
import { type DiscordCall, DiscordServer } from "../../fixtures/discord_server.ts";
import { addKey, appOf, HeldMaker, INVENTED, testGateway } from "../../fixtures/gateway.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../../fixtures/receipt.ts";

const [APPLICATION, ANNA, BEN] = ["1000000000000000001", "2000000000000000002", "3"];
const KEY = "a-key-of-the-bot";
const TOKEN = "a-secret-interaction-token";
const NOW = 1_800_000_000_000;
const LOCAL = { hostname: "127.0.0.1", port: 0 };
/** As nsfwjs's network sums them: all drawing, or all porn. */
const SHARES = { drawing: 1, hentai: 0, neutral: 0, porn: 0, sexy: 0 };

const keys = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
const publicKey = bytesToHex(
  new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)),
);
const miner = openHotkey("11".repeat(32));
const image = {
  ...{ sha256: fileHash(SMALL_IMAGE), mediaType: "image/png" as const },
  bytes: SMALL_IMAGE.length,
};
const receipt = await inventedReceipt(miner, SMALL_REQUEST, { image });
const make: Make = () =>
  Promise.resolve({ image: SMALL_IMAGE, record: { ...INVENTED, id: receiptId(receipt), receipt } });

let stack: AsyncDisposableStack;
let discord: DiscordServer;
let gateway: Gateway;
let bot: Bot;
let app: Hono;
let slept: number[];
let log: string[];
let asked: number;
let now: number;

interface Setting {
  readonly make?: Make;
  /** What an image looks like to the network. */
  readonly shares?: typeof SHARES;
  readonly parts?: Partial<BotParts>;
}

beforeEach(() => {
  stack = new AsyncDisposableStack();
  [slept, log, asked, now] = [[], [], 0, NOW];
});
afterEach(() => stack.disposeAsync());

async function served(answer: (request: Request) => Response | Promise<Response>) {
  const server = await listen(LOCAL, answer);
  stack.defer(() => server.shutdown());
  return `http://127.0.0.1:${server.addr.port}`;
}

async function open({ shares = SHARES, parts = {}, ...given }: Setting = {}): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  gateway = stack.use(await testGateway(folder, { make: given.make ?? make }));
  addKey(gateway, KEY);
  const door = appOf(gateway);
  const url = await served((request) => door.fetch(request));
  discord = stack.use(await DiscordServer.open());
  const sleep = (ms: number) => Promise.resolve(void slept.push(ms));
  const classifier = {
    classify: () => Promise.resolve(shares),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  bot = stack.use(
    new Bot({
      rest: new DiscordRest({ api: discord.api, application: APPLICATION, sleep }),
      images: new ImageService({ url, key: KEY }, sleep),
      ...{ content: undefined, pages: "https://pages.example", fileOrigins: [] },
      ...{ safety: stack.use(new Safety(classifier as never)), ids: new ButtonIds(KEY) },
      limits: { perHour: 10, atOnce: 2, now: () => now },
      ...{ previewMs: 0, answerMs: 60_000 },
      log: (event, facts) => void log.push(`${event} ${JSON.stringify(facts)}`),
      ...parts,
    }),
  );
  const guard = await InteractionGuard.open(publicKey, () => now);
  app = discordApp({ guard, bot, application: APPLICATION, log: (error) => log.push(`${error}`) });
}

async function signed(body: string, timestamp = String(NOW / 1000)): Promise<RequestInit> {
  const bytes = new TextEncoder().encode(timestamp + body);
  const signature = await crypto.subtle.sign("Ed25519", keys.privateKey, bytes);
  return {
    ...{ method: "POST", body },
    headers: {
      "content-type": "application/json",
      "x-signature-ed25519": bytesToHex(new Uint8Array(signature)),
      "x-signature-timestamp": timestamp,
    },
  };
}

/** An interaction with the fields that Discord's documentation gives it. */
function interaction(type: number, data: unknown, more: Record<string, unknown> = {}): string {
  const { user = ANNA, nsfw = false, ...rest } = more;
  return JSON.stringify({
    ...{ id: String(++asked), application_id: APPLICATION, type, token: TOKEN, version: 1 },
    ...{ guild_id: "7", channel_id: "8", channel: { id: "8", type: 0, nsfw }, locale: "en-US" },
    member: { user: { id: user, username: "somebody" }, roles: [], permissions: "0" },
    ...{ data, attachment_size_limit: 10_485_760, ...rest },
  });
}

const options = (given: Record<string, unknown>) =>
  Object.entries(given).map(([name, value]) => ({ name, type: 3, value }));
const create = (given: Record<string, unknown>, more?: Record<string, unknown>) =>
  interaction(2, { id: "9", name: "create", type: 1, options: options(given) }, more);
const press = (id: string, more?: Record<string, unknown>) =>
  interaction(3, { custom_id: id, component_type: 2 }, more);

// deno-lint-ignore no-explicit-any
async function send(body: string): Promise<any> {
  return await (await app.request("/interactions", await signed(body))).json();
}

/** The last answer that was edited. */
const shown = () => discord.calls.findLast(({ method }) => method === "PATCH") as DiscordCall;
const buttonOf = ({ json }: DiscordCall, label: string): string =>
  json.components[0].components.find((each: { label: string }) => each.label === label).custom_id;

async function made(given = { prompt: "a red tau symbol" }): Promise<DiscordCall> {
  expect(await send(create(given))).toEqual({ type: 5 });
  await bot.settled();
  return shown();
}

describe("the endpoint", () => {
  test("answers a ping that Discord signed", async () => {
    await open();
    expect(await send(interaction(1, undefined))).toEqual({ type: 1 });
  });

  test("answers 401 to what is not signed, or signed over something else", async () => {
    await open();
    const body = interaction(1, undefined);
    const right = await signed(body);
    const changed = { ...right, body: body.replace('"7"', '"6"') };
    const later = { ...Object(right.headers), "x-signature-timestamp": String(NOW / 1000 + 1) };
    const none = { method: "POST", body };
    for (const wrong of [changed, { ...right, headers: later }, none]) {
      expect((await app.request("/interactions", wrong)).status).toBe(401);
    }
    expect((await app.request("/interactions", right)).status).toBe(200);
  });

  test("answers 401 to what was sent before, also in other letters, and to old timestamps", async () => {
    await open();
    const once = await signed(interaction(1, undefined));
    const headers = Object(once.headers);
    const upper = headers["x-signature-ed25519"].toUpperCase();
    expect((await app.request("/interactions", once)).status).toBe(200);
    const again = { ...once, headers: { ...headers, "x-signature-ed25519": upper } };
    for (const replay of [once, again]) {
      expect((await app.request("/interactions", replay)).status).toBe(401);
    }
    for (const seconds of [-121, 121]) {
      const stale = await signed(interaction(1, undefined), String(NOW / 1000 + seconds));
      expect((await app.request("/interactions", stale)).status).toBe(401);
    }
  });

  test("reads no more than 256 KiB, and takes nothing that is another application's", async () => {
    await open();
    const large = await app.request("/interactions", await signed(" ".repeat(262_145)));
    expect(large.status).toBe(413);
    const other = interaction(1, undefined, { application_id: "5" });
    expect((await app.request("/interactions", await signed(other))).status).toBe(400);
    expect((await app.request("/interactions", await signed("{"))).status).toBe(400);
  });

  test("needs a public key that is one", async () => {
    await expect(InteractionGuard.open("ab", Date.now)).rejects.toThrow("--discord.public-key");
  });
});

describe("/create", () => {
  test("shows the image in the deferred answer, with its prompt and buttons; nobody is called", async () => {
    await open();
    const { path, json, files, authorization } = await made({ prompt: "a *tau* @everyone" });
    expect(path).toBe(`/webhooks/${APPLICATION}/${TOKEN}/messages/@original`);
    expect(authorization).toBeNull();
    expect(files.get("stepwise.png")).toEqual(SMALL_IMAGE);
    expect(json.allowed_mentions).toEqual({ parse: [] });
    expect(json.embeds[0]).toMatchObject({
      image: { url: "attachment://stepwise.png" },
      footer: { text: expect.stringMatching(/^64x64, 4 steps, seed \d+, checked: honest$/) },
    });
    const labels = json.components[0].components.map(({ label }: { label: string }) => label);
    expect(labels).toEqual(["Again", "Upscale", "Remix", "Proof"]);
    for (const { custom_id } of json.components[0].components) {
      expect(custom_id.length).toBeLessThanOrEqual(100);
    }
  });

  test("asks the gateway for what the options say", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make });
    stack.defer(() => maker.failAll());
    const given = { prompt: "a fox", negative: "snow", steps: 7, guidance: 3.5, seed: "12" };
    await send(create({ ...given, width: 128, height: 64 }));
    await maker.reached(1);
    expect(maker.begun[0][0]).toMatchObject({
      ...{ prompt: "a fox", negativePrompt: "snow", steps: 7, guidanceScale: 3.5, seed: 12n },
      ...{ width: 128, height: 64 },
    });
  });

  test("shows previews as they come, then the image", async () => {
    const begun = Promise.withResolvers<void>();
    const preview = `data:image/png;base64,${SMALL_IMAGE.toBase64()}`;
    await open({
      make: async (...asked) => {
        const [, , { onStep }] = asked as unknown as [unknown, unknown, {
          onStep: (progress: unknown) => void;
        }];
        onStep({ step: 2, steps: 4, preview });
        await begun.promise;
        return await make(...asked);
      },
    });
    await send(create({ prompt: "a fox" }));
    const first = await discord.call(({ files }) => files.has("preview.png"));
    expect(first.json.content).toBe("Step 2 of 4");
    expect(first.files.get("preview.png")).toEqual(SMALL_IMAGE);
    begun.resolve();
    await bot.settled();
    expect([...shown().files.keys()]).toEqual(["stepwise.png"]);
  });

  test("waits as long as Discord says, and for an answer that Discord does not have yet", async () => {
    await open();
    const limited = { message: "You are being rate limited.", retry_after: 1.25, global: false };
    discord.refusals.push(
      Response.json({ message: "Unknown Webhook", code: 10015 }, { status: 404 }),
      Response.json(limited, { status: 429 }),
    );
    // Both meet the last edit, which is tried again: there are no previews.
    await made();
    expect(slept).toEqual([500, 1250]);
    expect(shown().files.has("stepwise.png")).toBe(true);
  });

  test("says to who asked alone what the gateway refuses, and takes the public answer back", async () => {
    await open();
    await send(create({ prompt: "a fox", seed: "nonsense" }));
    await bot.settled();
    const [taken, said] = discord.calls;
    expect(taken).toMatchObject({
      ...{ method: "DELETE", path: `/webhooks/${APPLICATION}/${TOKEN}/messages/@original` },
    });
    expect(said).toMatchObject({ method: "POST", path: `/webhooks/${APPLICATION}/${TOKEN}` });
    expect(said.json).toMatchObject({
      flags: 64,
      content: expect.stringMatching(/seed is "nonse/),
    });
  });

  test("holds people to their limits, each for themselves", async () => {
    const maker = new HeldMaker();
    await open({
      make: maker.make,
      parts: { limits: { perHour: 3, atOnce: 2, now: () => now } },
    });
    stack.defer(() => maker.failAll());
    const ask = (user: string) => send(create({ prompt: "a fox" }, { user }));
    expect([await ask(ANNA), await ask(ANNA)]).toEqual([{ type: 5 }, { type: 5 }]);
    const third = await ask(ANNA);
    expect(third).toMatchObject({ type: 4, data: { flags: 64 } });
    expect(third.data.content).toMatch(/2 are being made for you already.*Try again in 15 s/);
    expect(await ask(BEN)).toEqual({ type: 5 });
    await maker.reached(3);
    for (const k of [0, 1, 2]) maker.fail(k, new AppError("miner_failed", "Cannot: it is a test"));
    await bot.settled();
    expect(await ask(ANNA)).toEqual({ type: 5 });
    await maker.reached(4);
    maker.fail(3, new AppError("miner_failed", "Cannot: it is a test"));
    await bot.settled();
    expect((await ask(ANNA)).data.content).toMatch(/3 times in 3600 s.*Try again in 60 min/);
    now += 3_600_000;
    const later = await signed(create({ prompt: "a fox" }), String(now / 1000));
    expect(await (await app.request("/interactions", later)).json()).toEqual({ type: 5 });
  });

  test("gives up what takes longer than Discord waits, and cancels it", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make, parts: { answerMs: 50 } });
    stack.defer(() => maker.failAll());
    await send(create({ prompt: "a fox" }));
    await bot.settled();
    expect(discord.calls.at(-1)?.json.content).toMatch(/longer than the 15 minutes/);
    const [job] = gateway.store.jobs.list(`id-${KEY}`, { limit: 1 } as never);
    expect(job.state).toBe("cancelled");
  });

  test("that is under way when the bot stops is given up, and who waits is told", async () => {
    const maker = new HeldMaker();
    await open({ make: maker.make });
    stack.defer(() => maker.failAll());
    await send(create({ prompt: "a fox" }));
    await maker.reached(1);
    await bot[Symbol.asyncDispose]();
    expect(discord.calls.at(-1)?.json.content).toMatch(/being restarted/);
    const [job] = gateway.store.jobs.list(`id-${KEY}`, { limit: 1 } as never);
    expect(job.state).toBe("cancelled");
  });

  test("logs neither the interaction's token nor the key when Discord is away", async () => {
    await open();
    await discord[Symbol.asyncDispose]();
    await send(create({ prompt: "a fox" }));
    await bot.settled();
    expect(log.join("\n")).toMatch(/cannot be reached/);
    expect(log.join("\n")).not.toMatch(new RegExp(`${TOKEN}|${KEY}`));
  });
});

describe("what is not for everybody", () => {
  const porn = { ...SHARES, drawing: 0, porn: 1 };

  test("is refused by its words, but in channels for adults", async () => {
    await open();
    const words = { prompt: "a naked woman" };
    const refused = await send(create(words));
    expect(refused).toMatchObject({ type: 4, data: { flags: 64 } });
    expect(refused.data.content).toMatch(/naked/);
    expect(await send(create(words, { nsfw: true }))).toEqual({ type: 5 });
    const direct = { channel: undefined, member: undefined, user: ANNA };
    const message = JSON.parse(create(words, direct));
    delete message.member;
    expect(await send(JSON.stringify({ ...message, user: { id: ANNA } }))).toMatchObject({
      type: 4,
    });
  });

  test("is not shown where a picture looks like it, but in channels for adults", async () => {
    await open({ shares: porn });
    await send(create({ prompt: "a fox" }));
    await bot.settled();
    expect(discord.calls.map(({ method }) => method)).toEqual(["DELETE", "POST"]);
    expect(discord.calls.every(({ files }) => files.size === 0)).toBe(true);
    expect(discord.calls.at(-1)?.json.content).toMatch(/looks like pornography/);
    await send(create({ prompt: "a fox" }, { nsfw: true }));
    await bot.settled();
    expect(shown().files.has("stepwise.png")).toBe(true);
  });
});

describe("buttons", () => {
  test("again: the same with another seed", async () => {
    const seeds: bigint[] = [];
    await open({
      make: (...asked) => {
        seeds.push(asked[0].seed);
        return make(...asked);
      },
    });
    const again = buttonOf(await made(), "Again");
    expect(await send(press(again, { user: BEN }))).toEqual({ type: 5 });
    await bot.settled();
    expect(seeds).toHaveLength(2);
    expect(seeds[1]).not.toBe(seeds[0]);
    expect(seeds[1]).not.toBe(7n);
  });

  test("upscale: twice the size, going on from the parent's receipt", async () => {
    const begun: Parameters<Make>[0][] = [];
    await open({
      make: (...asked) => {
        begun.push(asked[0]);
        return make(...asked);
      },
    });
    await send(press(buttonOf(await made(), "Upscale")));
    await bot.settled();
    expect(begun[1]).toMatchObject({
      ...{ width: 128, height: 128, strength: 0.3, upscaler: "lanczos" },
      parent: receiptId(receipt),
    });
  });

  test("remix: a form for who pressed, and then an image that goes on from this one", async () => {
    const begun: Parameters<Make>[0][] = [];
    await open({
      make: (...asked) => {
        begun.push(asked[0]);
        return make(...asked);
      },
    });
    const form = await send(press(buttonOf(await made(), "Remix"), { user: BEN }));
    expect(form.type).toBe(9);
    const fields = { prompt: "a blue tau symbol", strength: "0,4" };
    const components = Object.entries(fields).map(([custom_id, value]) => ({
      ...{ type: 1, components: [{ type: 4, custom_id, value }] },
    }));
    const submit = (user: string) =>
      send(interaction(5, { custom_id: form.data.custom_id, components }, { user }));
    expect((await submit(ANNA)).data.content).toMatch(/somebody else opened this form/);
    expect(await submit(BEN)).toEqual({ type: 5 });
    await bot.settled();
    expect(begun[1]).toMatchObject({
      ...{ prompt: "a blue tau symbol", strength: 0.4, image: image.sha256 },
      parent: receiptId(receipt),
    });
  });

  test("proof: the receipt as a file, and where its steps are checked, to who asks alone", async () => {
    await open();
    const proof = buttonOf(await made(), "Proof");
    expect(await send(press(proof, { user: BEN }))).toEqual({ type: 5, data: { flags: 64 } });
    await bot.settled();
    const { json, files } = shown();
    const [[, file]] = files;
    expect(JSON.parse(new TextDecoder().decode(file))).toEqual(receipt);
    expect(json.content).toContain(
      `https://pages.example/#/verify?miner=http%3A%2F%2F127.0.0.1%3A1&id=${receiptId(receipt)}`,
    );
  });

  test("publish: by who had it made alone, as the content server takes it", async () => {
    const bodies: unknown[] = [];
    const keysSent: (string | null)[] = [];
    const url = await served(async (request) => {
      bodies.push(await request.json());
      keysSent.push(request.headers.get("authorization"));
      return Response.json({ id: "x", url: "https://pieces.example/x" }, { status: 201 });
    });
    await open({ parts: { content: new ContentService({ url, key: "another" }) } });
    const publish = buttonOf(await made(), "Publish");
    const other = await send(press(publish, { user: BEN }));
    expect(other.data.content).toMatch(/only who had the image made/);
    expect(bodies).toEqual([]);
    await send(press(publish));
    await bot.settled();
    expect(shown().json.content).toBe("Published: <https://pieces.example/x>");
    expect(keysSent).toEqual(["Bearer another"]);
    const voucher = { address: miner.address, sign: miner.sign, user: "bot" };
    const { submission } = await decodeUserSubmission(bodies[0], voucher, Date.now());
    expect(submission).toMatchObject({ id: receiptId(receipt), caption: "a red tau symbol" });
  });

  test("that were changed do nothing", async () => {
    await open();
    const proof = buttonOf(await made(), "Proof");
    const [action, job, user, code] = proof.split(":");
    const changed = [
      ["publish", job, user, code],
      [action, `${job}x`, user, code],
      [action, job, BEN, code],
      [action, job, user, code.replace(/^./, (first) => first === "A" ? "B" : "A")],
      [action, job, user],
      [...proof.split(":"), "more"],
    ];
    const before = discord.calls.length;
    for (const parts of changed) {
      const answer = await send(press(parts.join(":")));
      expect(answer, parts.join(":")).toMatchObject({ type: 4, data: { flags: 64 } });
      expect(answer.data.content).toMatch(/not of this bot/);
    }
    expect(discord.calls).toHaveLength(before);
  });

  test("of a job that is gone say so", async () => {
    await open();
    const id = new ButtonIds(KEY).write({ action: "again", job: "gone", user: ANNA });
    await send(press(id));
    await bot.settled();
    expect(discord.calls.at(-1)?.json.content).toMatch(/make a new one/);
  });
});

describe("files that people attach", () => {
  const attach = (name: string, given: Record<string, { url: string; size?: number }>) => {
    const files = Object.entries(given).map(([option, { url, size = 1000 }], k) =>
      [option, { id: `${k}`, filename: "a.bin", size, url }] as const
    );
    const attachments = Object.fromEntries(files.map(([, file]) => [file.id, file]));
    const given_ = files.map(([option, { id }]) => ({ name: option, type: 11, value: id }));
    const prompt = { name: "prompt", type: 3, value: "a blue tau" };
    return interaction(2, {
      ...{ id: "9", name, type: 1, options: [...given_, prompt], resolved: { attachments } },
    });
  };
  const files = () =>
    served((request) =>
      request.url.endsWith("/receipt")
        ? Response.json(receipt)
        : request.url.endsWith("/other")
        ? new Response(new Uint8Array(SMALL_IMAGE.length))
        : new Response(SMALL_IMAGE)
    );

  test("/verify says that a receipt and its image hold, or that they do not", async () => {
    const base = await files();
    await open({
      parts: { fileOrigins: [base], limits: { perHour: 1, atOnce: 1, now: Date.now } },
    });
    const check = async (image: string) => {
      const given = { receipt: { url: `${base}/receipt` }, image: { url: `${base}/${image}` } };
      expect(await send(attach("verify", given))).toEqual({ type: 5, data: { flags: 64 } });
      await bot.settled();
      return shown().json.content;
    };
    expect(await check("image")).toMatch(/The receipt holds.*byte by byte/s);
    expect(await check("other")).toMatch(/its image is not the expected one/);
  });

  test("/remix starts from them", async () => {
    const base = await files();
    const maker = new HeldMaker();
    await open({ make: maker.make, parts: { fileOrigins: [base] } });
    stack.defer(() => maker.failAll());
    expect(await send(attach("remix", { image: { url: `${base}/image` } }))).toEqual({ type: 5 });
    await maker.reached(1);
    expect(maker.begun[0][0]).toMatchObject({ prompt: "a blue tau", image: image.sha256 });
  });

  test("are fetched from Discord alone, and no larger than they may be", async () => {
    const base = await files();
    await open();
    for (const file of [{ url: `${base}/image` }, { url: `${base}/image`, size: 1e9 }]) {
      await send(attach("remix", { image: file }));
      await bot.settled();
    }
    const said = discord.calls.filter(({ method }) => method === "POST").map(({ json }) =>
      json.content
    );
    expect(said).toEqual([
      expect.stringMatching(/not one of Discord's/),
      expect.stringMatching(/more than \d+ kB/),
    ]);
  });
});

test("/top lists what earns most of what is published; without a server it says so", async () => {
  const [id, score] = ["ab", 1];
  const piece = (id: string, at: number) => ({
    ...{ id, at, creator: `5${id}`, caption: `piece *${id}*`, url: `https://pieces.example/${id}` },
  });
  const day = 86_400_000;
  const url = await served((request) =>
    Response.json(
      request.url.endsWith("/spread")
        ? {
          at: NOW,
          pieces: [{ id, creator: "5ab", score }, { id: "cd", creator: "5cd", score }],
          posts: [{ post: "p", piece: id, account: "bluesky:x" }],
          engagements: [{
            ...{ post: "p", account: "bluesky:y", kind: "like" },
            ...{ at: NOW - 1000, since: NOW - 365 * day },
          }],
          accounts: { "bluesky:x": "5ab" },
        }
        : { pieces: [piece("cd", 2), piece(id, 1)], batches: [] },
    )
  );
  await open({ parts: { content: new ContentService({ url }) } });
  const top = () => interaction(2, { id: "9", name: "top", type: 1 });
  expect(await send(top())).toEqual({ type: 5 });
  await bot.settled();
  // One old account that likes is log2(1 + 1) on its day.
  expect(shown().json.content.split("\n")).toEqual([
    "1. [piece \\*ab\\*](<https://pieces.example/ab>), 1.00 points",
    "2. [piece \\*cd\\*](<https://pieces.example/cd>), 0.00 points",
  ]);
  await open();
  expect((await send(top())).data.content).toMatch(/no place for published pictures/);
});

test("--register replaces the application's commands by its bot's token", async () => {
  await open();
  const rest = new DiscordRest({
    ...{ api: discord.api, application: APPLICATION, sleep: () => Promise.resolve() },
  });
  await rest.register("bot-token", SLASH_COMMANDS);
  await rest.register("bot-token", SLASH_COMMANDS, "77");
  expect(discord.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `PUT /applications/${APPLICATION}/commands`,
    `PUT /applications/${APPLICATION}/guilds/77/commands`,
  ]);
  const [{ json, authorization }] = discord.calls;
  expect(authorization).toBe("Bot bot-token");
  expect(json.map(({ name }: { name: string }) => name)).toEqual([
    ...["create", "remix", "verify", "top"],
  ]);
  // As Discord takes them: names, lengths, and options that are needed before those that are not.
  for (const { name, description, options = [] } of json) {
    for (const each of [{ name, description }, ...options]) {
      expect(each.name).toMatch(/^[a-z]{1,32}$/);
      expect(each.description.length).toBeLessThanOrEqual(100);
    }
    const needed = options.map(({ required = false }) => required);
    expect(needed).toEqual(needed.toSorted((a: boolean, b: boolean) => Number(b) - Number(a)));
  }
  discord.refusals.push(Response.json({ message: "401", code: 0 }, { status: 401 }));
  await expect(rest.register("bot-token", [])).rejects.toThrow(
    "Cannot register the commands at Discord: it answered 401",
  );
});
