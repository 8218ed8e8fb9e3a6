import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";
import { COMMIT, HubServer } from "../../fixtures/hub_server.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { fetchedFiles, tinyFile, tinyFolder } from "../../fixtures/tiny_folder.ts";

const NAME = `hf:acme/tiny@${COMMIT}`;
const FOLDER = "hf--acme--tiny--0123456789ab";
const UNET = `${FOLDER}/unet/model.onnx`;

let hub: HubServer;
let cache: string;
beforeEach(async () => {
  hub = await HubServer.start(tinyFolder());
  cache = await temporaryFolder();
});
afterEach(() => hub[Symbol.asyncDispose]());

const models = (...args: string[]) =>
  runCli(["models", ...args], {
    STEPWISE_CACHE: cache,
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_DISABLE_IMPLICIT_TOKEN: "1",
  });

test("list names each known model with family, licence, tolerances and that it never ran", async () => {
  const { stdout, code } = await models("list");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^tau-tiny +sdxl +\d+ MB +MIT +float32, float16 +in this repository$/m);
  expect(stdout).toMatch(/^sd-1\.5 +sd1 +860 M parameters .* defaults .*never run here$/m);
  expect(stdout).toMatch(/^flux-schnell +flux .*; only read of, never run here$/m);
  expect(stdout).toContain(`In the cache, ${cache}: no model`);
});

describe("a model that was pulled", () => {
  beforeEach(async () => {
    const { stdout, stderr, code } = await models("pull", "hf:acme/tiny");
    expect({ stdout, code, stderr }).toMatchObject({
      code: 0,
      stdout: `${NAME}: 331 kB in ${join(cache, FOLDER)}\n`,
    });
  });

  test("is listed, as JSON too", async () => {
    const { stdout } = await models("list", "--json");
    const { models: known, cache: { models: copies } } = JSON.parse(stdout);
    const bytes = fetchedFiles().reduce((sum, path) => sum + tinyFile(path).length, 0);
    expect(copies).toMatchObject([{ model: NAME, files: fetchedFiles().length }]);
    // Besides the files there is the record of them.
    expect(copies[0].bytes).toBeGreaterThan(bytes);
    expect(known[0]).toMatchObject({ id: "tau-tiny", ran: true });
  });

  test.each(["hf:acme/tiny", NAME])("is removed as %s, and nothing beside it", async (given) => {
    await Deno.mkdir(join(cache, "mine"));
    const { stdout, code } = await models("remove", given);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Removed hf:acme\/tiny@\w+ from .*: 33\d kB freed$/m);
    expect(filesIn(cache)).toEqual([`${FOLDER}.lock`, "mine", "revisions"]);
    const again = await models("remove", given);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("not in the cache") });
  });

  test("is verified without the hub", async () => {
    hub.up = false;
    const { stdout, code } = await models("verify", "hf:acme/tiny");
    expect({ stdout, code }).toEqual({
      stdout: `${NAME}: ${fetchedFiles().length} files as they came\n`,
      code: 0,
    });
  });

  test("whose bytes were changed is named by verify, and pulled anew", async () => {
    await Deno.writeFile(join(cache, UNET), new Uint8Array(tinyFile("unet/model.onnx").length));
    const { stderr, code } = await models("verify", "hf:acme/tiny");
    expect(code).toBe(2);
    expect(stderr).toMatch(/Cannot vouch for hf:acme.* unet\/model\.onnx has SHA-256 .*pull/);
    hub.seen.length = 0;
    await models("pull", "hf:acme/tiny");
    expect(hub.seen.filter(({ method }) => method === "GET").map(({ path }) => path))
      .toContain("/cdn/unet/model.onnx");
    expect(await Deno.readFile(join(cache, UNET))).toEqual(tinyFile("unet/model.onnx"));
  });
});

test("a folder of the user's is hashed by verify, and never removed", async () => {
  const folder = await temporaryFolder();
  for (const path of fetchedFiles()) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeFile(join(folder, path), tinyFile(path));
  }
  const verified = await models("verify", folder);
  // `printf '#version: 0.2\n' | sha256sum`
  expect(verified.stdout).toMatch(/^215a6aba[0-9a-f]{56} {2}tokenizer\/merges\.txt$/m);
  const removed = await models("remove", folder);
  expect(removed).toMatchObject({ code: 2, stderr: expect.stringContaining("of yours") });
  expect(filesIn(folder)).toContain("model_index.json");
});

test("a link in the cache is not followed by remove", async () => {
  const elsewhere = await temporaryFolder();
  await Deno.writeTextFile(join(elsewhere, "mine.txt"), "mine");
  await Deno.symlink(elsewhere, join(cache, FOLDER));
  expect(await models("remove", NAME)).toMatchObject({ code: 2 });
  expect(filesIn(elsewhere)).toEqual(["mine.txt"]);
});

test("verify of the embedded model compares it with the catalogue", async () => {
  const { stdout, code } = await models("verify", "embedded");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^tau-tiny: \d+ files as the catalogue says$/m);
});
