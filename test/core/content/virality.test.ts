import { describe, expect, test } from "vitest";
import {
  contentScore,
  type Engagement,
  LINEAGE_SHARE,
  sharesOf,
  type Spread,
  viralityOf,
} from "../../../core/content/mod.ts";

const DAY = 24 * 3600 * 1000;
/** Noon of a day. */
const NOW = 20_000.5 * DAY;
const OLD = NOW - 400 * DAY;

const piece = (id: string, creator: string, parent?: string) => ({
  ...{ id, creator, score: 1 },
  ...parent === undefined ? {} : { parent },
});
/** By the author's own account, which is bound. */
const post = (of: string, author: string, name = of) => ({
  ...{ post: `post ${name}`, piece: of, account: `bluesky:${author}` },
});

function likes(
  of: string,
  who: readonly string[],
  more: Partial<Engagement> = {},
): Engagement[] {
  return who.map((account) => ({
    ...{ post: `post ${of}`, account, kind: "like" as const, at: NOW, since: OLD },
    ...more,
  }));
}

const people = (count: number, name = "fan") =>
  Array.from({ length: count }, (_, k) => `bluesky:${name} ${k}`);

const MARA = { "bluesky:mara": "mara" };

function earned(engagements: readonly Engagement[], spread: Partial<Spread> = {}) {
  const all = {
    ...{ pieces: [piece("fox", "mara")], posts: [post("fox", "mara")], accounts: MARA },
    ...{ engagements, ...spread },
  };
  return viralityOf(all, NOW).creators;
}

describe("viralityOf", () => {
  const place = ({ account }: Engagement, turn: number) =>
    (Number(account.split(" ")[1]) + 1) * turn % 101;

  test("is the same to the last bit, in whatever order it was read", () => {
    const names = ["fox", "owl", "elk"];
    const spread = {
      pieces: names.map((name, k) => ({ ...piece(name, "mara"), score: 1 / (k + 3) })),
      posts: names.map((name) => post(name, "mara")),
    };
    // All at once, by accounts of many ages, so that their weights' sums are not exact.
    const all = people(100).flatMap((account, k) =>
      likes(names[k % 3], [account], { since: NOW - (10 + 0.7 * k) * DAY })
    );
    // Multiples of a number without a factor of 101 are another order each.
    const orders = Array.from(
      { length: 30 },
      (_, turn) => all.toSorted((a, b) => place(a, turn + 1) - place(b, turn + 1)),
    );
    const found = orders.map((engagements) =>
      viralityOf({ ...spread, accounts: MARA, engagements }, NOW)
    );
    expect(new Set(found.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(found[0].creators.mara).toBeGreaterThan(0);
  });

  test("grows by the logarithm of those who liked it", () => {
    // log2(1 + 1), log2(1 + 15), log2(1 + 31): by hand.
    for (const [count, points] of [[1, 1], [15, 4], [31, 5]]) {
      expect(earned(likes("fox", people(count))).mara).toBeCloseTo(points, 12);
    }
  });

  test("fades over seven days, and is gone then", () => {
    const after = (days: number) =>
      earned(likes("fox", people(1), { at: NOW - days * DAY, since: OLD - days * DAY })).mara;
    expect([0, 1, 6].map(after)).toEqual([1, 1 - 1 / 7, 1 - 6 / 7]);
    expect(after(7)).toBeUndefined();
  });

  test("weighs a piece by what its content is worth", () => {
    const spread = { pieces: [{ ...piece("fox", "mara"), score: 0.25 }] };
    expect(earned(likes("fox", people(1)), spread).mara).toBeCloseTo(0.25, 12);
  });

  test("passes a fixed share on to whom a remix is of, and to theirs", () => {
    const spread = {
      pieces: [piece("fox", "mara"), piece("owl", "noor", "fox"), piece("elk", "sol", "owl")],
      posts: [post("elk", "sol")],
    };
    const { mara, noor, sol } = earned(likes("elk", people(1)), spread);
    expect([sol, noor, mara]).toEqual([
      expect.closeTo(1 - LINEAGE_SHARE, 12),
      expect.closeTo(LINEAGE_SHARE * (1 - LINEAGE_SHARE), 12),
      expect.closeTo(LINEAGE_SHARE ** 2, 12),
    ]);
  });

  test("counts what is passed on twice a like, and one account once a day", () => {
    const both = [
      ...likes("fox", people(1)),
      ...likes("fox", people(1), { kind: "repost" }),
    ];
    expect(earned(both).mara).toBeCloseTo(Math.log2(1 + 2), 12);
  });
});

describe("cheats", () => {
  const honest = earned(
    [0, 1, 2, 3, 4, 5, 6].flatMap((day) =>
      likes("fox", people(20, `day ${day}`), { at: NOW - day * DAY })
    ),
  ).mara;

  test("a bought burst is worth one day's cap, less than twenty people a day", () => {
    const burst = earned(likes("fox", people(5_000))).mara;
    expect(burst).toBe(6);
    expect(burst).toBeLessThan(honest / 2);
  });

  test("likes from fresh accounts are worth nothing, and grow to full weight in months", () => {
    const aged = (days: number) =>
      earned(likes("fox", people(1000), { since: NOW - days * DAY })).mara;
    expect([0, 1, 7].map(aged)).toEqual([undefined, undefined, undefined]);
    expect(aged(8)).toBeLessThan(aged(60));
    // What says it was opened after it liked is no account of the past.
    expect(aged(-1000)).toBeUndefined();
  });

  test("an author's own accounts count for nothing", () => {
    const own = { ...MARA, "mastodon:mara@a.example": "mara" };
    expect(earned(likes("fox", Object.keys(own)), { accounts: own })).toEqual({});
  });

  test("one picture under ten posts earns what it earns under one", () => {
    const posts = Array.from({ length: 10 }, (_, k) => post("fox", "mara", `${k}`));
    const all = posts.flatMap((_, k) => likes(`${k}`, people(15)));
    expect(earned(all, { posts }).mara).toBe(earned(likes("fox", people(15))).mara);
  });

  test("ten pictures liked by the same accounts earn what one does", () => {
    const names = Array.from({ length: 10 }, (_, k) => `fox ${k}`);
    const spread = {
      pieces: names.map((name) => piece(name, "mara")),
      posts: names.map((name) => post(name, "mara")),
    };
    const all = names.flatMap((name) => likes(name, people(15)));
    expect(earned(all, spread).mara).toBeCloseTo(4, 12);
  });

  test("the same accounts day by day earn less than new ones", () => {
    const daily = [0, 1, 2, 3, 4, 5, 6].flatMap((day) =>
      likes("fox", people(20), { at: NOW - day * DAY })
    );
    expect(earned(daily).mara).toBeLessThan(0.75 * honest);
  });

  test("creators who like each other in a ring earn a tenth; whom others like, in full", () => {
    const names = ["ana", "bo", "cy"];
    const spread = {
      pieces: names.map((name) => piece(name, name)),
      posts: names.map((name) => post(name, name)),
      accounts: Object.fromEntries(names.map((name) => [`bluesky:${name}`, name])),
    };
    // Ana likes Bo, Bo likes Cy, Cy likes Ana.
    const ring = names.flatMap((name, k) => likes(names[(k + 1) % 3], [`bluesky:${name}`]));
    expect(earned(ring, spread).ana).toBeCloseTo(Math.log2(1.1), 12);
    const open = ring.slice(0, 2);
    expect(earned(open, spread)).toEqual({ bo: 1, cy: 1 });
  });

  test("posts of pieces that nobody published, and likes of other posts, are left out", () => {
    expect(earned(likes("elsewhere", people(9)))).toEqual({});
    expect(earned(likes("fox", people(9)), { pieces: [] })).toEqual({});
    expect(earned(likes("fox", people(9), { at: NOW + DAY }))).toEqual({});
  });
});

test("contentScore: none stands in for another that is 0", () => {
  const score = (value: number) => ({ value, uncertainty: 0 });
  expect(contentScore({ a: score(0.25), b: score(1) })).toBeCloseTo(0.5, 12);
  expect(contentScore({ a: score(0), b: score(1) })).toBe(0);
  expect(contentScore({ a: score(0.5), b: undefined })).toBe(0.5);
  expect(contentScore({})).toBe(0);
});

test("sharesOf: whole 10^9ths that never sum to more than all", () => {
  expect(sharesOf({ a: 1, b: 2, c: 0 })).toEqual([["b", 666_666_666n], ["a", 333_333_333n]]);
  expect(sharesOf({})).toEqual([]);
  expect(sharesOf({ a: NaN, b: Infinity, c: -1 })).toEqual([]);
});
