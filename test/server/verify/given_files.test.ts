import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeImage, type ImageFormat } from "../../../core/image/mod.ts";
import { encodeSafetensors } from "../../../core/safetensors/mod.ts";
import { tellApart } from "../../../server/verify/given_files.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { encodeReceipt, fileHash } from "../../../core/transcript/mod.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const pixels = { width: 8, height: 8, data: new Uint8ClampedArray(8 * 8 * 4) };
const text = (letters: string) => new TextEncoder().encode(letters);

const hotkey = openHotkey("11".repeat(32));

test.each<[string, ImageFormat, string]>([
  ["compact", "png", ""],
  ["with spaces before it", "jpeg", "\n  "],
  ["with a byte order mark", "webp", "\ufeff"],
])(
  "a receipt %s, a transcript and a %s are distinguished, whatever their names",
  async (_, ...of) => {
    const folder = await temporaryFolder();
    const [format, before] = of;
    const receipt = encodeReceipt(await inventedReceipt(hotkey, SMALL_REQUEST));
    const files = {
      image: await encodeImage(pixels, format),
      receipt: text(before + new TextDecoder().decode(receipt)),
      transcript: encodeSafetensors([], {}),
    };
    const paths = Object.fromEntries(Object.keys(files).map((kind) => [kind, join(folder, kind)]));
    for (const [kind, bytes] of Object.entries(files)) await Deno.writeFile(paths[kind], bytes);
    expect(await tellApart(Object.values(paths), {})).toEqual(paths);
    expect(await tellApart(Object.values(paths).toReversed(), {})).toEqual(paths);
  },
);

test("control images and LoRAs are known by their hashes, beside those that flags name", async () => {
  const folder = await temporaryFolder();
  const files = {
    edges: await encodeImage(pixels, "png"),
    image: await encodeImage(pixels, "webp"),
    transcript: encodeSafetensors([], {}),
    lora: encodeSafetensors([], { style: "drawn" }),
  };
  const receipt = await inventedReceipt(hotkey, {
    ...SMALL_REQUEST,
    control: [{ image: fileHash(files.edges), network: "embedded" }],
    adapters: [{ sha256: fileHash(files.lora), scale: 1 }],
  });
  const all = { ...files, receipt: encodeReceipt(receipt) };
  const paths = Object.fromEntries(Object.keys(all).map((name) => [name, join(folder, name)]));
  for (const [name, bytes] of Object.entries(all)) await Deno.writeFile(paths[name], bytes);
  const { edges, lora, ...others } = paths;
  const given = { controlImage: ["a.png"], lora: ["b.safetensors:1"] };
  expect(await tellApart(Object.values(paths), given)).toEqual({
    ...others,
    ...{ controlImage: ["a.png", edges], lora: ["b.safetensors:1", lora] },
  });
});

test("a LoRA or a source image alone is no transcript and no image: a miner opens those", async () => {
  const folder = await temporaryFolder();
  const source = await encodeImage(pixels, "png");
  const lora = encodeSafetensors([], { style: "drawn" });
  const receipt = encodeReceipt(
    await inventedReceipt(hotkey, {
      ...SMALL_REQUEST,
      ...{ image: fileHash(source), strength: 0.5, steps: 4 },
      adapters: [{ sha256: fileHash(lora), scale: 1 }],
    }),
  );
  const all = { receipt, source, lora };
  const paths = Object.fromEntries(Object.keys(all).map((name) => [name, join(folder, name)]));
  for (const [name, bytes] of Object.entries(all)) await Deno.writeFile(paths[name], bytes);
  const given = (...names: string[]) => tellApart(names.map((name) => paths[name]), {});
  expect(await given("receipt", "lora")).toEqual({ receipt: paths.receipt, lora: [paths.lora] });
  expect(await given("receipt", "source")).toEqual({
    receipt: paths.receipt,
    source: paths.source,
  });
});
