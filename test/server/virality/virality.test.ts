import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { fingerprintOf, viralityOf } from "../../../core/content/mod.ts";
import { encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { LocalBluesky } from "../../../server/demo/content/local_bluesky.ts";
import { LocalMastodon } from "../../../server/demo/content/local_mastodon.ts";
import { listen, RetryLater } from "../../../server/http/mod.ts";
import {
  bindingSentence,
  bluesky,
  mastodon,
  SpreadStore,
  Virality,
} from "../../../server/virality/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { samplePictures } from "../../fixtures/sample_pictures.ts";

const [mara, noor] = ["22", "33"].map((byte) => openHotkey(byte.repeat(32)));
const [HOUR, DAY] = [3_600_000, 86_400_000];
const ID = "ab".repeat(32);
/** Of this day, at any hour: an hour or two from then is the same day. */
const NOON = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
const OLD = NOON - 400 * DAY;
const DID = "did:plc:mara";
const FLAT = fingerprintOf({ width: 64, height: 64, data: new Uint8ClampedArray(4 * 64 * 64) });

let pictures: readonly RgbaImage[];
beforeAll(async () => {
  pictures = await samplePictures();
});

async function served(app: { fetch(request: Request): Response | Promise<Response> }) {
  const server = await listen({ hostname: "127.0.0.1", port: 0 }, (request) => app.fetch(request));
  onTestFinished(() => server.shutdown());
  return `http://127.0.0.1:${server.addr.port}`;
}

/** Both networks, a piece of Mara's, and a clock that is set by hand. */
async function world() {
  const [sky, mast] = [new LocalBluesky(), new LocalMastodon()];
  const [skyUrl, mastUrl] = [await served(sky.app), await served(mast.app)];
  const store = new SpreadStore(":memory:");
  onTestFinished(() => store[Symbol.dispose]());
  const clock = { now: NOON };
  const madeAt = clock.now - HOUR;
  const fingerprint = fingerprintOf(pictures[2]);
  const virality = new Virality({
    ...{ store, now: () => clock.now },
    networks: { bluesky: bluesky({ base: skyUrl }), mastodon: mastodon({ servers: [mastUrl] }) },
    piece: (id) => id === ID ? { id, creator: mara.address, madeAt, fingerprint } : undefined,
  });
  const points = () => {
    const pieces = [{ id: ID, creator: mara.address, score: 1 }];
    return viralityOf(virality.spread(pieces), clock.now).creators[mara.address] ?? 0;
  };
  sky.open(DID, { profile: await bindingSentence(`bluesky:${DID}`, mara), since: OLD });
  return { sky, mast, skyUrl, mastUrl, virality, clock, points, store };
}

const linked = { text: `a fox https://stepwise.example/#/check?id=${ID}`, at: NOON };
const people = (count: number, of: string) =>
  Array.from({ length: count }, (_, k): [string, number] => [`${of}${k}`, NOON]);
const fans = (count: number) => new Map(people(count, "did:plc:fan"));

/** Accounts that have been there for long. */
function openAll(social: LocalBluesky | LocalMastodon, names: Iterable<string>, since = OLD) {
  for (const name of names) social.open(name, { since });
}

describe("a post on Bluesky", () => {
  test("with the receipt's id is read through all pages, and counts", async () => {
    const { sky, virality, points } = await world();
    const likes = fans(250);
    openAll(sky, likes.keys());
    sky.post("1", DID, { ...linked, likes });
    const { post, account } = await virality.name(
      ID,
      "https://bsky.app/profile/mara.bsky.example/post/1",
    );
    expect([post, account]).toEqual([`at://${DID}/app.bsky.feed.post/1`, `bluesky:${DID}`]);
    const [{ readings }] = virality.posts(ID);
    expect(readings).toMatchObject([{ found: "read", likes: 250, listed: 250 }]);
    expect(points()).toBe(6);
  });

  test("with the picture itself, scaled and compressed, counts; with another it is refused", async () => {
    const { sky, skyUrl, virality } = await world();
    const small = resize(pictures[2], { width: 128, height: 128 });
    sky.files.set("own.jpg", await encodeImage(small, "jpeg"));
    sky.files.set("other.jpg", await encodeImage(pictures[8], "jpeg"));
    sky.post("1", DID, { text: "look", at: NOON, images: [`${skyUrl}/img/own.jpg`] });
    sky.post("2", DID, { text: "look", at: NOON, images: [`${skyUrl}/img/other.jpg`] });
    expect(await virality.name(ID, `at://${DID}/app.bsky.feed.post/1`)).toMatchObject({
      proof: `${skyUrl}/img/own.jpg`,
    });
    expect(await rejection(virality.name(ID, `at://${DID}/app.bsky.feed.post/2`)))
      .toMatchObject({ code: "invalid_request", message: expect.stringContaining("no picture") });
  });

  test("of an account that is not bound to the creator is refused: by another's key, for another account", async () => {
    const { sky, virality } = await world();
    const thief = "did:plc:thief";
    const sentences = [
      "",
      await bindingSentence(`bluesky:${thief}`, noor),
      // Copied from Mara's own profile: it is of her account.
      sky.account(DID).profile,
    ];
    for (const [k, profile] of sentences.entries()) {
      sky.open(thief, { profile, since: OLD });
      sky.post(`${k}`, thief, linked);
      expect(await rejection(virality.name(ID, `at://${thief}/app.bsky.feed.post/${k}`)))
        .toMatchObject({ message: expect.stringContaining("neither the profile of bluesky:did") });
    }
  });

  test("that is older than the picture is refused: an old success cannot be filled anew", async () => {
    const { sky, virality } = await world();
    sky.post("1", DID, { ...linked, at: NOON - DAY });
    expect(await rejection(virality.name(ID, `at://${DID}/app.bsky.feed.post/1`)))
      .toMatchObject({ message: "Cannot take the post: it is older than the picture" });
  });
});

describe("a post on Mastodon", () => {
  async function bound() {
    const all = await world();
    const account = `mastodon:mara@${new URL(all.mastUrl).host}`;
    all.mast.open("mara", { profile: await bindingSentence(account, mara), since: OLD });
    return { ...all, url: `${all.mastUrl}/@mara/1` };
  }

  test("is read through all pages; bots and other servers' accounts count for nothing", async () => {
    const { mast, virality, points, url } = await bound();
    const likes = new Map(people(170, "fan"));
    openAll(mast, likes.keys());
    mast.open("robot", { since: OLD, bot: true });
    // Who runs a server decides how old its accounts are.
    mast.open("old@own.example", { since: 0 });
    for (const name of ["robot", "old@own.example"]) likes.set(name, NOON);
    mast.post("1", "mara", { ...linked, likes });
    await virality.name(ID, url);
    expect(virality.posts(ID)[0].readings).toMatchObject([{ likes: 172, listed: 170 }]);
    expect(points()).toBe(6);
  });

  test("is read whatever strangers write of themselves: who is unreadable counts for nothing", async () => {
    const { sky, mast, virality, url } = await bound();
    const [wordy, endless] = ["wordy", `endless${"s".repeat(3000)}`];
    for (const social of [sky, mast]) {
      social.open(wordy, { profile: "word ".repeat(10_000), since: OLD });
      social.open(endless, { since: OLD });
    }
    const likes = new Map([[wordy, NOON], [endless, NOON], ["fan", NOON]]);
    mast.post("1", "mara", { ...linked, likes });
    sky.post("1", DID, { ...linked, likes, reposts: likes });
    await virality.name(ID, url);
    await virality.name(ID, `at://${DID}/app.bsky.feed.post/1`);
    const listed = virality.posts(ID).map((
      { network, readings: [{ listed }] },
    ) => [network, listed]);
    expect(Object.fromEntries(listed)).toEqual({ mastodon: 2, bluesky: 4 });
  });

  test("on a server that nobody listed is refused before it is asked", async () => {
    const { virality } = await bound();
    expect(await rejection(virality.name(ID, "https://own.example/@mara/1")))
      .toMatchObject({ message: expect.stringContaining("of none of the networks") });
  });

  test("that is edited to show something else counts no more", async () => {
    const { mast, virality, points, clock, url } = await bound();
    openAll(mast, ["fan"]);
    const post = mast.post("1", "mara", { ...linked, likes: new Map([["fan", 0]]) });
    await virality.name(ID, url);
    expect(points()).toBeCloseTo(1, 12);
    post.text = "buy a watch";
    clock.now += 2 * HOUR;
    expect(await virality.readDue()).toBe(1);
    expect(points()).toBe(0);
  });
});

describe("readings", () => {
  async function named() {
    const all = await world();
    const post = all.sky.post("1", DID, { ...linked, likes: fans(3) });
    openAll(all.sky, post.likes.keys());
    await all.virality.name(ID, `at://${DID}/app.bsky.feed.post/1`);
    return { ...all, post };
  }

  test("what is deleted earns nothing any more", async () => {
    const { sky, virality, clock, points } = await named();
    expect(points()).toBeCloseTo(2, 12);
    sky.posts.clear();
    clock.now += 2 * HOUR;
    await virality.readDue();
    expect(points()).toBe(0);
    expect(virality.posts(ID)[0].readings.map(({ found }) => found)).toEqual(["read", "deleted"]);
  });

  test("a like that is taken back counts no more; one that is new does", async () => {
    const { sky, virality, clock, points, post } = await named();
    post.likes.delete("did:plc:fan0");
    post.likes.delete("did:plc:fan1");
    clock.now += 2 * HOUR;
    await virality.readDue();
    expect(points()).toBeCloseTo(1, 12);
    openAll(sky, ["did:plc:new"]);
    post.reposts.set("did:plc:new", clock.now);
    clock.now += 2 * HOUR;
    await virality.readDue();
    expect(points()).toBeGreaterThan(1.5);
  });

  test("an account that is bound no more takes its posts along", async () => {
    const { sky, virality, clock, points } = await named();
    sky.account(DID).profile = "";
    clock.now += 2 * HOUR;
    await virality.readDue();
    expect(points()).toBe(0);
  });

  test("an outage leaves what was read, for two days, and is noted", async () => {
    const { sky, virality, clock, points } = await named();
    sky.trouble.down = true;
    clock.now += 2 * HOUR;
    expect(await virality.readDue()).toBe(0);
    expect(points()).toBeGreaterThan(1.5);
    expect(virality.posts(ID)[0].readings[1].found).toMatch(/^Cannot read .*: it answered 502$/);
    clock.now += 2 * DAY;
    expect(points()).toBe(0);
    sky.trouble.down = false;
    expect(await virality.readDue()).toBe(1);
    expect(points()).toBeGreaterThan(0);
  });

  test("a network that takes no more calls is left alone until it says", async () => {
    const { sky, virality, clock } = await named();
    sky.trouble.callsLeft = 1;
    sky.trouble.pauseSeconds = 1800;
    clock.now += 2 * HOUR;
    const before = sky.calls;
    expect(await virality.readDue()).toBe(0);
    sky.trouble.callsLeft = Infinity;
    // The real clock's half hour, from a clock that is two hours ahead.
    clock.now += 20 * 60_000;
    expect(await virality.readDue()).toBe(0);
    expect(sky.calls).toBe(before + 1);
    clock.now += 11 * 60_000;
    expect(await virality.readDue()).toBe(1);
  });

  test("what fails as nobody foresaw is noted, and ends no round; a slow server holds up no other", async () => {
    const store = new SpreadStore(":memory:");
    onTestFinished(() => store[Symbol.dispose]());
    const clock = { now: NOON };
    const slow = Promise.withResolvers<never>();
    const reads: string[] = [];
    const seen = {
      author: { account: "web:mara", profile: await bindingSentence("web:mara", mara) },
      ...{ at: NOON, text: linked.text, images: [], engagements: [], likes: 0, reposts: 0 },
    };
    let trouble = false;
    const read = (post: string) => {
      reads.push(post);
      if (trouble && post.includes("slow")) return slow.promise;
      if (trouble && post.includes("odd")) return Promise.reject(new TypeError("not foreseen"));
      return Promise.resolve(seen);
    };
    const logged: unknown[] = [];
    const virality = new Virality({
      ...{ store, now: () => clock.now, log: (error) => logged.push(error) },
      networks: {
        web: { addressOf: (url) => Promise.resolve(url), read, image: () => expect.fail() },
      },
      piece: (id) => ({ id, creator: mara.address, madeAt: NOON, fingerprint: FLAT }),
    });
    for (const host of ["slow", "odd", "good"]) {
      for (const k of [1, 2]) await virality.name(ID, `https://${host}.example/${k}`);
    }
    trouble = true;
    clock.now += 2 * HOUR;
    reads.length = 0;
    const round = virality.readDue();
    expect(virality.readDue()).toBe(round);
    // While it waits, a post is named.
    expect(await virality.name(ID, "https://good.example/3")).toMatchObject({ piece: ID });
    expect(reads.filter((post) => post.includes("slow"))).toHaveLength(1);
    slow.reject(new RetryLater("download_failed", "it does not answer in 20 s", 300));
    expect(await round).toBe(2);
    // The other one of the slow server was not asked at all.
    expect(reads.filter((post) => post.includes("slow"))).toHaveLength(1);
    const found = virality.posts(ID).map(({ post, readings }) => [post, readings[1]?.found]);
    expect(Object.fromEntries(found)).toMatchObject({
      "https://slow.example/1": "it does not answer in 20 s",
      "https://odd.example/1": "not foreseen",
      "https://good.example/2": "read",
    });
    expect(logged).toHaveLength(2);
    clock.now += 60_000;
    expect(await virality.readDue()).toBe(0);
  });

  test("a post is named once, and ten of one piece at most", async () => {
    const { sky, virality } = await named();
    const address = (k: number) => `at://${DID}/app.bsky.feed.post/${k}`;
    expect(await virality.name(ID, address(1))).toMatchObject({ named: expect.any(Number) });
    for (let k = 2; k <= 10; k++) {
      sky.post(`${k}`, DID, linked);
      await virality.name(ID, address(k));
    }
    expect(await rejection(virality.name(ID, address(11))))
      .toMatchObject({ message: "Cannot take the post: 10 are named already" });
  });
});
