import { expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { imageCodec } from "../../../core/image/mod.ts";
import { addressOf, PATHS } from "../../../core/protocol/mod.ts";
import { ReplayWindow, RequestGuard } from "../../../server/http/mod.ts";
import type { ImageSource } from "../../../server/miner/image_source.ts";
import { MinerMetrics, minerRoutes } from "../../../server/miner/mod.ts";

const self = openHotkey("11".repeat(32));
const ID = "ab".repeat(32);
const OPENING = Uint8Array.of(1, 2, 3);

function miner() {
  const capacity = () => ({ batch: 1, queueLimit: 1, queued: 0, running: 0 });
  const never = () => Promise.reject(new Error("nothing is asked here"));
  const source: ImageSource = {
    ...{ compute: "none", models: [], capacity, cancel: () => false },
    requestOf: () => {
      throw new Error("nothing is asked here");
    },
    opens: () => Promise.resolve(true),
    open: () => Promise.resolve(OPENING),
    ...{ run: never, receipt: never, image: never, input: never, forget: never, close: never },
  };
  const app = minerRoutes({
    ...{ source, metrics: new MinerMetrics(source), self: self.address, site: "/nowhere" },
    ...{ allowed: () => {}, checkRequest: () => {}, log: () => {}, codec: imageCodec },
    guard: new RequestGuard(self.address, new ReplayWindow(":memory:")),
    info: () => ({
      ...{ name: "test", version: "1", hotkey: self.address, compute: "none", models: [] },
      ...{ capacity: capacity(), transcriptSeconds: 1 },
    }),
  });
  return (step: string) => {
    const address = addressOf("http://miner", PATHS.step, { id: ID, step });
    return app.request(address.href, { headers: { authorization: `Bearer ${"t".repeat(43)}` } });
  };
}

test("openings are limited by token, and malformed steps do not count", async () => {
  const open = miner();
  for (let k = 0; k < 121; k++) {
    const { status } = await open("first");
    expect(status).toBe(400);
  }
  for (let k = 0; k < 120; k++) expect((await open("0")).status).toBe(200);
  expect((await open("0")).status).toBe(429);
});
