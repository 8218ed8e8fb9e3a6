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

test("its requests may name ControlNets, or none: the image is then the one without", async () => {
  await using stack = new AsyncDisposableStack();
  const given = { model: join(GOLDEN, "pipelines/pipe-sd1"), compute: "cpu", log: () => {} };
  const net = join(GOLDEN, "pipelines/pipe-sd1-controlnet/controlnet");
  const plain = await openEngine(given, stack);
  const { engine, controls, checkRequest } = await openEngine({ ...given, controls: [net] }, stack);
  expect(plain.controls).toEqual([]);
  expect(controls).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  const defaults = { ...engine.defaults, width: 64, height: 64, steps: 2, seed: 1n };
  const request = (...networks: string[]) =>
    decodeRequest({
      prompt: "tau",
      control: networks.map((network) => ({ image: "0a".repeat(32), network })),
    }, defaults);
  expect(() => checkRequest(request(...controls))).not.toThrow();
  expect(() => checkRequest(request("0f".repeat(32)))).toThrow(
    /control names the network 0f0f0f0f0f0f\.\.\., and the model was opened with [0-9a-f]{12}/,
  );
  expect(() => plain.checkRequest(request("embedded"))).toThrow(/embedded, .* opened with none/);
  const [one, other] = [await plain.engine.generate(request()), await engine.generate(request())];
  expect(other.images).toEqual(one.images);
});
