import { join } from "node:path";
import { expect, test } from "vitest";
import { OpeningTokens } from "../../../server/miner/opening_token.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";

const ID = "ab".repeat(32);

test("a token opens its own receipt, also after a restart, and no other", async () => {
  const folder = await temporaryFolder();
  const token = (await OpeningTokens.open(folder)).of(ID);
  const again = await OpeningTokens.open(folder);
  expect(again.opens(token, ID)).toBe(true);
  expect(again.opens(token, "cd".repeat(32))).toBe(false);
  expect(again.opens("", ID)).toBe(false);
});

test("the secret is its user's alone from the first moment on", async () => {
  const folder = await temporaryFolder();
  await OpeningTokens.open(folder);
  expect(filesIn(folder)).toEqual(["opening-secret"]);
  const { mode } = await Deno.stat(join(folder, "opening-secret"));
  expect((mode ?? 0) & 0o777).toBe(0o600);
});

test("a secret that cannot be read is refused, not replaced", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "opening-secret");
  await Deno.writeFile(path, new Uint8Array(7));
  expect(await rejection(OpeningTokens.open(folder))).toMatchObject({
    code: "storage_failed",
    message: expect.stringMatching(/opening-secret: it has 7 bytes, not 32; give this user/),
  });
  expect(await Deno.readFile(path)).toEqual(new Uint8Array(7));
  await Deno.remove(path);
  await Deno.mkdir(path);
  expect(await rejection(OpeningTokens.open(folder))).toMatchObject({ code: "storage_failed" });
});
