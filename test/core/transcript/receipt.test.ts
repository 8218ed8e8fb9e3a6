import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  canonicalJson,
  checkSignature,
  decodeReceipt,
  encodeReceipt,
  MAX_RECEIPT_BYTES,
  maxImageBytes,
  planHash,
  receiptFromJson,
  receiptId,
  receiptMessage,
  signReceipt,
} from "../../../core/transcript/mod.ts";
import { verifySr25519 } from "../../../core/keys/mod.ts";
import { checkReceipt } from "../../../core/verifier/mod.ts";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import schedulers from "../../golden/diffusers_schedulers.json" with { type: "json" };
import { decodeSketch, sketchRun } from "../../../core/transcript/sketch.ts";
import { sample, SDE_CONFIG, signer } from "./fixture.ts";
import { codeOf, flipped } from "./hostile.ts";

const { receipt, plan } = await sample();
const { receipt: first } = await sample({ version: 1 });
const { receipt: early } = await sample({ sketched: false });
const sketch = receipt.version === 2 ? receipt.sketch ?? "" : "";
const bytes = encodeReceipt(receipt);
const text = (value: unknown) => new TextEncoder().encode(canonicalJson(value));

test("decodeReceipt reads what encodeReceipt writes, and the signature holds", () => {
  expect(decodeReceipt(bytes)).toEqual(receipt);
  expect(codeOf(() => checkSignature(decodeReceipt(bytes)))).toBeUndefined();
});

test("receipts of version 1 are read, and hold with that version's plan hash alone", () => {
  expect(receipt.version).toBe(2);
  const old = decodeReceipt(encodeReceipt(first));
  expect(old).toEqual({ ...first, version: 1 });
  expect(checkReceipt(old, { plan }).receipt).toBe(old);
  expect(old.plan).toBe(planHash(plan, 1));
  expect(old.plan).not.toBe(planHash(plan, 2));
});

test.each([[first, 2], [early, 1]] as const)(
  "a receipt that says another version than was signed is refused",
  (signed, version) => {
    const relabelled = receiptFromJson({ ...signed, version });
    expect(codeOf(() => checkReceipt(relabelled, { plan }))).toBe("signature_invalid");
  },
);

test("a receipt without sketches is one of version 2, and one of version 1 has none", () => {
  expect(decodeReceipt(encodeReceipt(early))).toEqual(early);
  expect(codeOf(() => receiptFromJson({ ...receipt, version: 1 }))).toBe("receipt_invalid");
});

// 4,000 letters of base64 are 3,000 bytes: 16 numbers for each of 46 steps, one for each of 750, and three
// bytes of one for each of 1000.
test.each([[1, 16], [30, 16], [46, 16], [47, 15], [100, 7], [750, 1], [1000, 1]])(
  "each of %i steps is sketched by %i numbers, all of them in 4 kB",
  (steps, width) => {
    const predictions = Array.from({ length: steps }, () => new Uint16Array(16).fill(0x3c00));
    const text = sketchRun("ab".repeat(32), predictions);
    expect(decodeSketch(text, steps)?.map((each) => each.length)).toEqual(Array(steps).fill(width));
    expect(text.length).toBeLessThanOrEqual(4000);
  },
);

test("a receipt with the other version's plan hash is refused, however well signed", async () => {
  for (const { signature: _, ...statement } of [first, receipt]) {
    const hash = planHash(plan, statement.version === 1 ? 2 : 1);
    const mixed = await signReceipt({ ...statement, plan: hash }, signer);
    expect(codeOf(() => checkReceipt(mixed, { plan }))).toBe("receipt_mismatch");
  }
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

test.each([[first, 1], [receipt, 2]] as const)(
  "receiptMessage begins with the version's domain and holds no signature",
  (of, version) => {
    const message = new TextDecoder().decode(receiptMessage(of));
    expect(message.startsWith(`stepwise-receipt-v${version}\n{"image":`)).toBe(true);
    expect(message).not.toContain(of.signature);
  },
);

const { request } = receipt;
test.each([
  ["white space", new TextEncoder().encode(`${new TextDecoder().decode(bytes)} `)],
  ["a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes)],
  ["a version to come", text({ ...receipt, version: 3 })],
  ["no version", text({ ...receipt, version: null })],
  ["an unknown field", text({ ...receipt, extra: 1 })],
  ["a batch", text({ ...receipt, request: { ...request, batch: 2 } })],
  [
    "a seed of 65 bits",
    text({ ...receipt, request: { ...request, seed: "18446744073709551616" } }),
  ],
  ["a seed with a leading zero", text({ ...receipt, request: { ...request, seed: "042" } })],
  ["a seed that is no number", text({ ...receipt, request: { ...request, seed: "x" } })],
  ["fewer steps than asked for", text({ ...receipt, steps: request.steps - 1 })],
  ["more steps than any solver takes", text({ ...receipt, steps: 2 * request.steps + 1 })],
  ["another size than asked for", text({ ...receipt, latent: [4, 4, 8] })],
  ["a miner that is no address", text({ ...receipt, miner: "5Alice" })],
  [
    "a time that is no date",
    text({ ...receipt, times: { ...receipt.times, finished: 8.64e15 + 1 } }),
  ],
  [
    "an image longer than its size takes",
    text({ ...receipt, image: { ...receipt.image, bytes: maxImageBytes(request) + 1 } }),
  ],
  ["a sketch of fewer steps", text({ ...receipt, sketch: sketch.slice(4) })],
  ["a sketch in other letters", text({ ...receipt, sketch: ` ${sketch.slice(1)}` })],
  [
    "a sketch that is not finite",
    text({ ...receipt, sketch: `////fw==${sketch.slice(8)}` }),
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

test("a receipt of version 2 names the quality of a JPEG or WebP, and no other does", () => {
  const of = (from: typeof receipt, mediaType: string, quality: number) =>
    codeOf(() => decodeReceipt(text({ ...from, image: { ...from.image, mediaType, quality } })));
  for (const quality of [1, 92, 100]) {
    expect(of(receipt, "image/jpeg", quality)).toBeUndefined();
    expect(of(receipt, "image/webp", quality)).toBeUndefined();
    expect(of(receipt, "image/png", quality)).toBe("receipt_invalid");
    expect(of(first, "image/jpeg", quality)).toBe("receipt_invalid");
  }
  for (const wrong of [0, 101, 92.5]) {
    expect(of(receipt, "image/jpeg", wrong)).toBe("receipt_invalid");
  }
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

// Of commit 6d0689b, which knew version 1 alone: SHA-256 of the canonical JSON of the list.
test("planHash of version 1 is what it was, for every golden scheduler", () => {
  const hashes = schedulers.map(({ scheduler, config, num_inference_steps }) =>
    planHash(planFromConfig({ _class_name: scheduler, ...config }, num_inference_steps), 1)
  );
  expect(bytesToHex(sha256(new TextEncoder().encode(canonicalJson(hashes))))).toBe(
    "453b11540014db28e992315290f1f29267cd538ce66036f2408bb7327b904afd",
  );
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
  const hashes = plans.flatMap((each) => [planHash(each, 1), planHash(each, 2)]);
  expect(new Set(hashes).size).toBe(2 * plans.length);
});
