import { expect, test } from "vitest";
import { runContentDemo } from "../../server/demo/content/content_demo.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

test("the second layer pays the honest creators, once, and the cheat nothing", async () => {
  const said: string[] = [];
  const say = (text: string) => said.push(text);
  const held = await runContentDemo({ say, folder: await temporaryFolder(), minutes: 20 });
  expect(said.filter((line) => line.startsWith(" NO"))).toEqual([]);
  expect(held).toBe(true);
});
