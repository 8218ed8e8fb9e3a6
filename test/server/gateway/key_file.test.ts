import { expect, test } from "vitest";
import { join } from "node:path";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { hashOfKey, KeyFile } from "../../../server/gateway/keys/mod.ts";

const [FIRST, SECOND] = ["first-key-of-an-application", "second-key-of-an-application"];

async function opened(text: string) {
  const path = join(await temporaryFolder(), "keys.txt");
  await Deno.writeTextFile(path, text);
  const events: (readonly [string, string | undefined])[] = [];
  const open = () => new KeyFile(path, (event, _, level) => events.push([event, level]));
  const write = (text: string) => Deno.writeTextFile(path, text);
  return { path, open, write, events };
}

const finds = (keys: KeyFile, key: string) => keys.has(hashOfKey(key));

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

test("without a file there are no keys", () => {
  expect(finds(new KeyFile(undefined, () => {}), FIRST)).toBe(false);
});
