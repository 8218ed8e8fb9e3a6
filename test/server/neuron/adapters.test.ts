import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeRequest } from "../../../core/request/mod.ts";
import { openEngine } from "../../../server/neuron/mod.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");

test("a neuron's requests may name the LoRAs that it was started with, and no other", async () => {
  await using stack = new AsyncDisposableStack();
  const { adapters, engine, checkRequest } = await openEngine({
    model: join(GOLDEN, "pipelines/pipe-sd1"),
    adapters: [join(GOLDEN, "adapters/lora-sd1-peft/lora.safetensors")],
    compute: "cpu",
    log: () => {},
  }, stack);
  expect(adapters).toEqual([
    { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), name: "lora.safetensors" },
  ]);
  const request = (sha256: string) =>
    decodeRequest({ prompt: "tau", adapters: [{ sha256, scale: 0.5 }] }, {
      ...engine.defaults,
      seed: 1n,
    });
  expect(() => checkRequest(request(adapters[0].sha256))).not.toThrow();
  expect(() => checkRequest(request("0f".repeat(32)))).toThrow(/adapters has 0f0f0f0f0f0f\.\.\./);
});
