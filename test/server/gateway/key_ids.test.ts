import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeRequest } from "../../../core/request/mod.ts";
import { gatewayFile, GatewayStore, hashOfKey } from "../../../server/gateway/mod.ts";
import { KeyFile } from "../../../server/gateway/keys/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const [MADE, OF_FILE] = ["a-key-of-an-application", "another-key-of-a-file"];
const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 0n };
const shortId = (key: string) => `key ${hashOfKey(key).slice(0, 8)}`;

test("a key of eight digits has its jobs, limits and usage under an id that nobody else finds", async () => {
  const folder = await temporaryFolder();
  const path = gatewayFile(folder);
  // As the first versions left it.
  {
    using store = new GatewayStore(path);
    for (const key of [MADE, OF_FILE]) {
      const owner = shortId(key);
      store.jobs.add({
        ...{ id: `job ${owner}`, owner, format: "png", inputs: [], webhook: undefined },
        refinement: undefined,
        ...{ requests: [decodeRequest({ prompt: "a tau" }, DEFAULTS)], once: undefined },
      });
      store.usage.made(owner, DEFAULTS);
    }
  }
  {
    using database = new DatabaseSync(path);
    database.prepare("INSERT INTO keys VALUES (?, 'website', ?, 1, NULL, NULL, ?)")
      .run(shortId(MADE), hashOfKey(MADE), '{"jobs":3}');
  }
  using store = new GatewayStore(path);
  const keys = join(folder, "keys.txt");
  await Deno.writeTextFile(keys, OF_FILE);
  new KeyFile(keys, store.keys, () => {});
  expect(store.keys.ofHash(hashOfKey(MADE))).toMatchObject({
    name: "website",
    limits: { jobs: 3 },
  });
  for (const key of [MADE, OF_FILE]) {
    const id = store.keys.ofHash(hashOfKey(key))?.id ?? "";
    // 128 bits in hex.
    expect(id).toBe(`key ${hashOfKey(key).slice(0, 32)}`);
    expect(store.jobs.list(id, { limit: 9 })).toHaveLength(1);
    expect(store.usage.imagesToday(id)).toBe(1);
  }
});
