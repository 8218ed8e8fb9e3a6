import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskStore } from "../../../server/models/disk_store.ts";
import { openModel, type OpenModelOptions } from "../../../server/models/mod.ts";
import { storageFailed } from "../../../server/storage/storage_error.ts";
import { filesUnder, golden } from "../../fixtures/golden_models.ts";
import { HubServer } from "../../fixtures/hub_server.ts";
import { noise, onnx, tinyFolder } from "../../fixtures/tiny_folder.ts";

const DISK_BYTES = 262_144;
const UNET = "unet/model.onnx";

let disk: string;
let mounted: boolean;
let hub: HubServer;
let options: OpenModelOptions;

// A real full disk where the tests may mount one, as root on Linux.
beforeEach(async () => {
  disk = await Deno.makeTempDir();
  mounted = await run("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk);
  hub = await HubServer.start(tinyFolder());
  options = { cacheFolder: disk, hubEndpoint: hub.endpoint, hubToken: "" };
});

afterEach(async () => {
  if (mounted) await run("umount", disk);
  await Deno.remove(disk, { recursive: true });
  await hub[Symbol.asyncDispose]();
});

async function run(program: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(program, { args, stdout: "null", stderr: "null" });
  return await command.output().then((output) => output.success, () => false);
}

test("too large a model is refused before its first byte: needed, free, remedy", async ({ skip }) => {
  skip(!mounted, "no right to mount a small disk");
  await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
    code: "storage_failed",
    message: expect.stringMatching(
      /Cannot keep .*hf--acme--tiny.*disk is full, 33\d\d\d\d more bytes are needed and \d+ are free\. Free some space, or set STEPWISE_CACHE/,
    ),
  });
  expect(hub.bodies(UNET)).toEqual([]);
});

test("so is one in safetensors", async ({ skip }) => {
  skip(!mounted, "no right to mount a small disk");
  await using other = await HubServer.start(filesUnder(golden("pipelines/pipe-sdxl")));
  const there = { ...options, hubEndpoint: other.endpoint };
  await expect(openModel("hf:acme/tiny", there)).rejects.toMatchObject({
    code: "storage_failed",
    message: expect.stringMatching(/the disk is full, \d+ more bytes are needed and \d+ are free/),
  });
  expect(other.seen.filter(({ path }) => path.endsWith(".safetensors"))).toEqual([]);
});

test("a disk that fills up on the way: named file, nothing used, resumed when there is room", async ({ skip }) => {
  skip(!mounted, "no right to mount a small disk");
  const store = new DiskStore(disk);
  const file = await store.open(UNET, 300_000);
  const chunk = noise(100_000, 1);
  const fill = async () => {
    for (let i = 0; i < 3; i++) await file.append(chunk);
  };
  await expect(fill()).rejects.toMatchObject({
    code: "storage_failed",
    message: expect.stringMatching(
      /unet\/model\.onnx: the disk is full, 100000 more bytes are needed/,
    ),
  });
  await file.close();
  await expect(Deno.stat(`${disk}/${UNET}`)).rejects.toThrow();
  await run("mount", "-o", "remount,size=4m", disk);
  hub.set(UNET, onnx({ weights: noise(299_000, 1) }));
  const files = await openModel("hf:acme/tiny", options);
  expect(files.size(UNET)).toBeGreaterThan(299_000);
});

test("a full disk has a code of its own", async () => {
  const full = Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  expect((await storageFailed(disk, full, "STEPWISE_CACHE", 10)).message).toMatch(
    /disk is full, 10 more bytes/,
  );
  const other = await storageFailed(disk, new Error("Input/output error"), "--storage");
  expect(other).toMatchObject({ code: "storage_failed", cause: expect.any(Error) });
  expect(other.message).toBe(`Cannot keep ${disk}: Input/output error`);
});
