import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initSync, WasmReader } from "@contentauth/c2pa-wasm";
import { afterAll, describe, expect, test } from "vitest";
import { encodeImage, textIn, withoutMetadata, withText } from "../../../core/image/mod.ts";
import { ContentCredentials } from "../../../server/credentials/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const FOLDER = "test/fixtures/credentials";
const PATHS = { chain: `${FOLDER}/chain.pem`, key: `${FOLDER}/key.pem` };
const FACTS = { receipt: "ab".repeat(32), root: "cd".repeat(32), miner: "5Miner" };
const trust = {
  trust: { trust_anchors: readFileSync(`${FOLDER}/authority.pem`, "utf8") },
  verify: { verify_trust: true },
};

const credentials = new ContentCredentials(PATHS, "1.2.3");
afterAll(() => credentials[Symbol.asyncDispose]());
initSync({
  module: readFileSync(fileURLToPath(import.meta.resolve("@contentauth/c2pa-wasm/c2pa.wasm"))),
});

/** What c2pa-rs reads of a file, which trusts the tests' authority. */
async function read(file: Uint8Array, format: string) {
  using reader = await WasmReader.fromBytes(`image/${format}`, file, JSON.stringify(trust));
  return JSON.parse(reader.json());
}

const data = new Uint8ClampedArray(4 * 64 * 64).map((_, k) => k % 4 === 3 ? 255 : k % 251);
const image = { width: 64, height: 64, data };

// The same files' like were read by c2pa-ts 0.9.4 as well, PNG and JPEG: valid, every hash a match.
describe.each(["png", "jpeg", "webp"] as const)("%s", (format) => {
  test("a reader trusts it, and is told of the model and the receipt", async () => {
    const plain = await encodeImage(image, format);
    const text = "a tau\nSteps: 1, Seed: 2, Size: 64x64";
    const signed = await credentials.sign(withText(plain, format, text), format, FACTS);
    const store = await read(signed, format);
    expect(store.validation_state).toBe("Trusted");
    const { assertions } = store.manifests[store.active_manifest];
    const source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    expect(assertions).toMatchObject([
      { data: { actions: [{ action: "c2pa.created", digitalSourceType: source }] } },
      { label: "org.stepwise.receipt", data: FACTS },
    ]);
    expect(textIn(signed, format)).toBe(text);
    // What the receipt commits to is still there, byte for byte.
    expect(withoutMetadata(signed, format)).toEqual(plain);
    const changed = signed.slice();
    changed[signed.length - 30] ^= 1;
    expect((await read(changed, format)).validation_state).toBe("Invalid");
  });
});

test("a signer that cannot sign is refused at the start", () => {
  const open = (paths: Partial<typeof PATHS>) =>
    thrownBy(() => new ContentCredentials({ ...PATHS, ...paths }, "1"));
  expect(open({ key: `${FOLDER}/p384.pem` })).toMatchObject({ code: "invalid_request" });
  expect(open({ chain: `${FOLDER}/authority.pem` })).toMatchObject({
    message: `Cannot sign content credentials: ${FOLDER}/key.pem is not the key of the first ` +
      `certificate of ${FOLDER}/authority.pem`,
  });
  expect(open({ key: `${FOLDER}/none.pem` })).toMatchObject({ code: "storage_failed" });
});
