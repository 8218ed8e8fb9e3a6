import { expect, onTestFinished, test } from "vitest";
import { join } from "node:path";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { GatewayStore } from "../../../server/gateway/mod.ts";
import { hashOfKey, KeyFile, Keys } from "../../../server/gateway/keys/mod.ts";

const [FIRST, SECOND] = ["first-key-of-an-application", "second-key-of-an-application"];

async function opened(text: string) {
  const path = join(await temporaryFolder(), "keys.txt");
  await Deno.writeTextFile(path, text);
  const events: (readonly [string, string | undefined])[] = [];
  const store = new GatewayStore(":memory:");
  onTestFinished(() => store[Symbol.dispose]());
  const open = () => {
    const file = new KeyFile(path, store.keys, (event, _, level) => events.push([event, level]));
    return new Keys({ store, file, requestsPerMinute: 60 });
  };
  const write = (text: string) => Deno.writeTextFile(path, text);
  return { path, open, write, events, store };
}

const finds = (keys: Keys, key: string) => keys.find(key) !== undefined;

test.each([
  ["# mine\n\nshort\n", /line 3 of .*keys\.txt has 5 characters, less than 16/],
  [`${FIRST}\ntwo words of a key that is long\n`, /line 2 of .*keys\.txt has a space in it/],
  [`${"k".repeat(201)}`, /line 1 of .*keys\.txt has 201 characters, more than 200/],
])("a file with a bad key is refused by its line and rule: %j", async (text, words) => {
  const { open } = await opened(text);
  expect(open).toThrow(words);
  expect(open).not.toThrow(/short|two words|kkk/);
});

test("keys are taken over and revoked without a restart", async () => {
  const { open, write, events } = await opened(`# mine\n${FIRST}\n`);
  const keys = open();
  expect([finds(keys, FIRST), finds(keys, SECOND)]).toEqual([true, false]);
  await write(`${SECOND}\n`);
  expect([finds(keys, FIRST), finds(keys, SECOND)]).toEqual([false, true]);
  expect(events).toEqual([["API keys taken over", undefined]]);
});

test("while the file is bad or away the keys of before stay, and it is said once", async () => {
  const { path, open, write, events } = await opened(FIRST);
  const keys = open();
  await write("short");
  expect([finds(keys, FIRST), finds(keys, FIRST)]).toEqual([true, true]);
  await Deno.remove(path);
  expect([finds(keys, FIRST), finds(keys, FIRST)]).toEqual([true, true]);
  await write(`${SECOND}\n`);
  expect(finds(keys, SECOND)).toBe(true);
  expect(events.map(([event, level]) => `${event} ${level}`)).toEqual([
    ...["API keys not taken over warn", "API keys not taken over debug"],
    ...["API keys not taken over warn", "API keys not taken over debug"],
    "API keys taken over undefined",
  ]);
});

test("without the file its keys are no more, and those that were made stay", async () => {
  const { open, store } = await opened(FIRST);
  expect(finds(open(), FIRST)).toBe(true);
  const made = { id: "key a", name: "website", hash: hashOfKey(SECOND), limits: {} };
  store.keys.add({ ...made, expires: undefined });
  const keys = new Keys({
    ...{ store, requestsPerMinute: 60, file: new KeyFile(undefined, store.keys, () => {}) },
  });
  expect([finds(keys, FIRST), finds(keys, SECOND)]).toEqual([false, true]);
});

test("a key of the file is limited and revoked as any other, for as long as the file has it", async () => {
  const { open, write, store } = await opened(`${FIRST}\n${SECOND}`);
  const keys = open();
  const [first, second] = [FIRST, SECOND].map((text) => keys.find(text)?.id ?? "");
  store.keys.limit(first, { jobs: 1 }, undefined);
  store.keys.revoke(second);
  await write(`# written again\n${SECOND}\n${FIRST}\n`);
  expect(keys.find(FIRST)?.limits).toEqual({ jobs: 1 });
  expect(finds(keys, SECOND)).toBe(false);
});
