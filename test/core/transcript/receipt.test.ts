import fc from "fast-check";
import { expect, test } from "vitest";
import {
  canonicalJson,
  checkSignature,
  decodeReceipt,
  encodeReceipt,
  MAX_RECEIPT_BYTES,
  mostImageBytes,
  planHash,
  receiptFromJson,
  receiptId,
  receiptMessage,
  signReceipt,
} from "../../../core/transcript/mod.ts";
import { verifySr25519 } from "../../../core/keys/mod.ts";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import schedulers from "../../golden/diffusers_schedulers.json" with { type: "json" };
import { sample, SDE_CONFIG, signer } from "./fixture.ts";
import { codeOf, flipped } from "./hostile.ts";

const { receipt } = await sample();
const bytes = encodeReceipt(receipt);
const text = (value: unknown) => new TextEncoder().encode(canonicalJson(value));

test("decodeReceipt reads what encodeReceipt writes, and the signature holds", () => {
  expect(decodeReceipt(bytes)).toEqual(receipt);
  expect(codeOf(() => checkSignature(decodeReceipt(bytes)))).toBeUndefined();
});

test("a receipt with any single bit flipped is refused", () => {
  fc.assert(
    fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
      const code = codeOf(() => checkSignature(decodeReceipt(flipped(bytes, bit))));
      expect(["receipt_invalid", "signature_invalid"]).toContain(code);
    }),
    { numRuns: 400 },
  );
});

test("receiptId does not depend on the signature, and on all else", async () => {
  const { signature: _, ...statement } = receipt;
  const later = { ...statement, times: { ...statement.times, finished: 1_790_000_004_001 } };
  expect(receiptId({ ...receipt, signature: "00".repeat(64) } as typeof receipt)).toBe(
    receiptId(receipt),
  );
  expect(receiptId(await signReceipt(later, signer))).not.toBe(receiptId(receipt));
});

test("a signature over the wrapped message, as wallet extensions make it, is refused", async () => {
  const { signature: _, ...statement } = receipt;
  const wrapping = (message: Uint8Array) =>
    signer(new TextEncoder().encode(`<Bytes>${new TextDecoder().decode(message)}</Bytes>`));
  await expect(signReceipt(statement, wrapping)).rejects.toMatchObject({
    code: "signature_invalid",
  });
});

test("receiptMessage begins with its domain and holds no signature", () => {
  const message = new TextDecoder().decode(receiptMessage(receipt));
  expect(message.startsWith('stepwise-receipt-v1\n{"image":')).toBe(true);
  expect(message).not.toContain(receipt.signature);
});

const { request } = receipt;
test.each([
  ["white space", new TextEncoder().encode(`${new TextDecoder().decode(bytes)} `)],
  ["a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes)],
  ["another version", text({ ...receipt, version: 2 })],
  ["an unknown field", text({ ...receipt, extra: 1 })],
  ["a batch", text({ ...receipt, request: { ...request, batch: 2 } })],
  [
    "a seed of 65 bits",
    text({ ...receipt, request: { ...request, seed: "18446744073709551616" } }),
  ],
  ["a seed with a leading zero", text({ ...receipt, request: { ...request, seed: "042" } })],
  ["a seed that is no number", text({ ...receipt, request: { ...request, seed: "x" } })],
  ["other steps than asked for", text({ ...receipt, steps: 6 })],
  ["another size than asked for", text({ ...receipt, latent: [4, 4, 8] })],
  ["a miner that is no address", text({ ...receipt, miner: "5Alice" })],
  [
    "a time that is no date",
    text({ ...receipt, times: { ...receipt.times, finished: 8.64e15 + 1 } }),
  ],
  [
    "an image longer than its size takes",
    text({ ...receipt, image: { ...receipt.image, bytes: mostImageBytes(request) + 1 } }),
  ],
  ["an end before the start", text({ ...receipt, times: { started: 2, finished: 1 } })],
  ["a signature in capitals", text({ ...receipt, signature: receipt.signature.toUpperCase() })],
  ["an array", text([receipt])],
  [
    "a prototype",
    new TextEncoder().encode(`{"__proto__":{},${new TextDecoder().decode(bytes).slice(1)}`),
  ],
  ["more than is read", new Uint8Array(MAX_RECEIPT_BYTES + 1).fill(0x20)],
])("decodeReceipt refuses %s", (_, hostile) => {
  expect(codeOf(() => decodeReceipt(hostile))).toBe("receipt_invalid");
});

test("decodeReceipt takes the longest image and the last date", () => {
  const last = { started: 8.64e15, finished: 8.64e15 };
  const image = { ...receipt.image, bytes: 8 * 32 * 32 + 65_536 };
  expect(decodeReceipt(text({ ...receipt, times: last, image }))).toMatchObject({ times: last });
  expect(new Date(last.finished).getTime()).toBe(last.finished);
});

test("decodeReceipt and receiptFromJson meet noise with one error", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
    expect(codeOf(() => decodeReceipt(noise))).toBe("receipt_invalid");
  }));
  const fields = Object.keys(receipt);
  fc.assert(fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
    const code = codeOf(() => checkSignature(receiptFromJson({ ...receipt, [field]: value })));
    const same =
      canonicalJson(value) === canonicalJson((receipt as Record<string, unknown>)[field]);
    if (!same) expect(["receipt_invalid", "signature_invalid"]).toContain(code);
  }));
});

test("verifySr25519 is false, and throws nothing, for what is no key or signature", () => {
  const bytes = fc.uint8Array({ maxLength: 70 });
  fc.assert(fc.property(bytes, bytes, bytes, (message, signature, key) => {
    expect(verifySr25519(message, signature, key)).toBe(false);
  }));
});

// Zero-terminal-SNR, where alpha nearly vanishes, among them: no coefficient may be an infinity.
test("planHash takes the plan of every golden scheduler", () => {
  const zero = { ...SDE_CONFIG, rescale_betas_zero_snr: true, prediction_type: "v_prediction" };
  const solvers = ["DPMSolverMultistepScheduler", "EulerDiscreteScheduler", "DDIMScheduler"];
  const plans = [
    ...schedulers.map(({ scheduler, config, num_inference_steps }) =>
      planFromConfig({ _class_name: scheduler, ...config }, num_inference_steps)
    ),
    ...solvers.map((_class_name) =>
      planFromConfig({ ...zero, algorithm_type: undefined, clip_sample: false, _class_name }, 10)
    ),
  ];
  expect(new Set(plans.map(planHash)).size).toBe(plans.length);
});
