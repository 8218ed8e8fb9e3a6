/**
 * A reader of receipts and openings after core/transcript/FORMAT.md, which imports nothing of this
 * project: what it agrees with, a stranger can check. Levels 0 and 1; sr25519 is a library's. Every
 * function throws an Error, in words, at what does not hold.
 */
import { createHash, createHmac } from "node:crypto";
import { crc32, inflateSync } from "node:zlib";
import { verify } from "@scure/sr25519";

const bytesOf = (text) => Buffer.from(text, "utf8");
const sha256 = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

function must(holds, why) {
  if (!holds) throw new Error(why);
}

// Canonical JSON

/** RFC 8785, at most 32 levels. */
export function canonicalJson(value, depth = 0) {
  must(depth <= 32, "JSON: nested too deep");
  if (Array.isArray(value)) {
    return `[${value.map((each) => canonicalJson(each, depth + 1)).join(",")}]`;
  }
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    const members = keys.map((key) =>
      `${JSON.stringify(key)}:${canonicalJson(value[key], depth + 1)}`
    );
    return `{${members.join(",")}}`;
  }
  must(typeof value !== "string" || value.isWellFormed(), "JSON: half a surrogate pair");
  must(typeof value !== "number" || Number.isFinite(value), "JSON: not finite");
  return JSON.stringify(value);
}

export const jsonHash = (value) => sha256(bytesOf(canonicalJson(value))).toString("hex");

// Hotkeys

const LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function ss58(key) {
  const body = Buffer.concat([Buffer.from([42]), key]);
  const sum = createHash("blake2b512").update("SS58PRE").update(body).digest().subarray(0, 2);
  let number = BigInt(`0x${Buffer.concat([body, sum]).toString("hex")}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = LETTERS[Number(number % 58n)] + text;
  return text;
}

export function publicKeyOf(address) {
  let number = 0n;
  for (const letter of address.slice(0, 64)) {
    must(LETTERS.includes(letter), "address: not base 58");
    number = number * 58n + BigInt(LETTERS.indexOf(letter));
  }
  const bytes = Buffer.from(number.toString(16).padStart(70, "0"), "hex");
  must(
    bytes.length === 35 && ss58(bytes.subarray(1, 33)) === address,
    "address: not SS58, prefix 42",
  );
  return bytes.subarray(1, 33);
}

function mustBeSigned(message, signature, address) {
  must(/^[0-9a-f]{128}$/.test(signature), "signature: not 64 bytes in hex");
  let good = false;
  try {
    good = verify(message, Buffer.from(signature, "hex"), publicKeyOf(address));
  } catch { /* The library throws at what is no signature. */ }
  must(good, "signature: not the hotkey's");
}

// Receipt

const FIELDS = {
  1: [
    "image",
    "latent",
    "miner",
    "model",
    "plan",
    "request",
    "root",
    "signature",
    "steps",
    "times",
    "version",
  ],
};
FIELDS[2] = FIELDS[1];
const OPTIONAL = { 1: ["validator"], 2: ["validator", "sketch", "backend", "sources"] };
const isHash = (text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
const isSeed = (text) => typeof text === "string" && /^(0|[1-9][0-9]{0,19})$/.test(text);
const isWhole = (value, low, high) => Number.isInteger(value) && value >= low && value <= high;

function mustHave(object, needed, optional, name) {
  const keys = Object.keys(object);
  must(needed.every((key) => keys.includes(key)), `${name}: a field is missing`);
  must(
    keys.every((key) => needed.includes(key) || optional.includes(key)),
    `${name}: unknown field`,
  );
}

/** Level 0 of a receipt, without its plan. @returns it, with its id. */
export function readReceipt(bytes) {
  must(bytes.length <= 524_288, "receipt: too long");
  const receipt = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  must(Buffer.from(canonicalJson(receipt)).equals(Buffer.from(bytes)), "receipt: not canonical");
  must(receipt.version === 1 || receipt.version === 2, "receipt: unknown version");
  mustHave(receipt, FIELDS[receipt.version], OPTIONAL[receipt.version], "receipt");
  mustAgree(receipt);
  const { signature, ...rest } = receipt;
  const message = bytesOf(`stepwise-receipt-v${receipt.version}\n${canonicalJson(rest)}`);
  mustBeSigned(message, signature, receipt.miner);
  return { receipt, id: sha256(message).toString("hex") };
}

function mustAgree(receipt) {
  const { version, request, model, plan, root, steps, latent, image, times } = receipt;
  const { miner, validator, sketch, backend, sources } = receipt;
  const { width, height } = request;
  must([plan, root, model.manifest, image.sha256].every(isHash), "receipt: not a hash");
  mustHave(model, ["id", "manifest", "precision"], ["variant", "control"], "model");
  mustHave(image, ["sha256", "mediaType", "bytes"], version === 2 ? ["quality"] : [], "image");
  must(["float32", "float16"].includes(model.precision), "model: unknown precision");
  for (const side of [width, height]) {
    must(isWhole(side, 8, 4096) && side % 8 === 0, "request: its size");
  }
  must(isWhole(request.steps, 1, 1000) && request.batch === 1, "request: steps or batch");
  must(
    isSeed(request.seed) && BigInt(request.seed) < 2n ** 64n,
    "request: its seed",
  );
  const least = request.image === undefined ? request.steps : 1;
  must(isWhole(steps, least, Math.min(1000, 2 * request.steps)), "receipt: its steps");
  must(latent.length === 3 && isWhole(latent[0], 1, 64), "receipt: its latent");
  must(latent[1] * 8 === height && latent[2] * 8 === width, "receipt: its latent");
  must(isWhole(image.bytes, 1, 8 * width * height + 65_536), "image: its length");
  must(["image/png", "image/jpeg", "image/webp"].includes(image.mediaType), "image: its type");
  must(
    image.quality === undefined ||
      (isWhole(image.quality, 1, 100) && image.mediaType !== "image/png"),
    "image: its quality",
  );
  mustHave(times, ["started", "finished"], [], "times");
  must(
    isWhole(times.started, 0, 8.64e15) && isWhole(times.finished, times.started, 8.64e15),
    "times",
  );
  publicKeyOf(miner);
  if (validator !== undefined) publicKeyOf(validator);
  if (sketch !== undefined) sketchesOf({ steps, sketch });
  if (backend !== undefined) {
    mustHave(backend, ["host", "adapter"], [], "backend");
    must(/^[a-z0-9][a-z0-9.-]{0,63}$/.test(backend.host), "backend: its host");
    must(backend.adapter.length >= 1 && backend.adapter.length <= 200, "backend: its adapter");
  }
  must(
    sources === undefined || (sources.join() === "s,m,k" && request.mask !== undefined),
    "receipt: its sources",
  );
  const { strength, image: from, mask } = request;
  must((strength === undefined) === (from === undefined), "request: its strength");
  must(mask === undefined || from !== undefined, "request: a mask of no image");
  must([from, mask].every((each) => each === undefined || isHash(each)), "request: not a hash");
}

// Plan

/** As a receipt's version spells it. */
export function planHash(plan, version) {
  if (version === 2) return jsonHash(plan);
  const rows = plan.rows.map(({ states, denoised, ...row }) => ({
    ...row,
    ...{ keep: states[0], x1: states[1] ?? 0, x2: states[2] ?? 0, x3: states[3] ?? 0 },
    ...{ d0: denoised[0], d1: denoised[1] ?? 0, d2: denoised[2] ?? 0, d3: denoised[3] ?? 0 },
    ...{ states: states.length, history: denoised.length },
  }));
  return jsonHash({ ...plan, rows });
}

export function mustBePlanOf({ receipt }, plan) {
  must(planHash(plan, receipt.version) === receipt.plan, "plan: not the receipt's");
  must(plan.rows.length === receipt.steps, "plan: not as many rows as steps");
}

// Tree

export const leafHash = (position, bytes) => sha256(Buffer.from([0]), u32(position), bytes);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);
const leftOf = (size) => 2 ** Math.floor(Math.log2(size - 1));

export function rootOf(hashes) {
  if (hashes.length === 1) return hashes[0];
  const left = leftOf(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, left)), rootOf(hashes.slice(left)));
}

const outside = (start, size, first, last) => start + size <= first || start > last;

function proofLength(start, size, first, last) {
  if (outside(start, size, first, last)) return 1;
  if (size === 1) return 0;
  const left = leftOf(size);
  return proofLength(start, left, first, last) +
    proofLength(start + left, size - left, first, last);
}

function rootOfRange(size, first, hashes, proof) {
  const rest = [...proof];
  const last = first + hashes.length - 1;
  const walk = (start, count) => {
    if (outside(start, count, first, last)) return rest.shift();
    if (count === 1) return hashes[start - first];
    const left = leftOf(count);
    const below = walk(start, left);
    return nodeHash(below, walk(start + left, count - left));
  };
  return walk(0, size);
}

// Opening

const sourcesOf = ({ request: { image, mask }, sources }) =>
  sources?.map((name) => `${name}.0`) ?? [
    ...(image === undefined ? [] : ["s.0"]),
    ...(mask === undefined ? [] : ["m.0"]),
  ];

/** First and last leaf. */
export function rangeOf(receipt, plan, target) {
  const { steps } = receipt;
  const before = sourcesOf(receipt).length;
  if (target === "start") return [0, before];
  if (target === "end") return [before + 2 * steps, before + 2 * steps];
  must(isWhole(target, 0, steps - 1), "opening: no such step");
  const { states, denoised } = plan.rows[target];
  const oldest = Math.min(2 * (target - states.length + 1), 2 * (target - denoised.length + 1) + 1);
  return [before + oldest, before + 2 * target + 2];
}

const namesOf = (receipt) => [
  ...sourcesOf(receipt),
  ...Array.from({ length: 2 * receipt.steps + 1 }, (_, k) => `${k % 2 ? "d" : "x"}.${k >> 1}`),
];

/** Level 0 of an opening. @returns float16 bits by name, and the hash of the image's leaf behind x_N. */
export function readOpening(bytes, { receipt, id }, plan, target) {
  const { latent, steps, root } = receipt;
  const [first, last] = rangeOf(receipt, plan, target);
  const names = namesOf(receipt).slice(first, last + 1);
  const size = namesOf(receipt).length + 1;
  const length = Number(bytes.readBigUInt64LE(0));
  must(length <= 4096 && length <= bytes.length - 8, "opening: its header's length");
  const said = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
  const proof = Buffer.from(String(said.__metadata__?.proof), "base64");
  must(proof.length === 32 * proofLength(0, size, first, last), "opening: its proof's length");
  const leafBytes = 2 * latent[0] * latent[1] * latent[2];
  const tensors = names.map((name, k) => [
    name,
    { dtype: "F16", shape: latent, data_offsets: [k * leafBytes, (k + 1) * leafBytes] },
  ]);
  const metadata = {
    ...{ format: "stepwise-opening-v1", proof: proof.toString("base64") },
    ...{ receipt: id, target: String(target) },
  };
  let header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(tensors) });
  header = header.padEnd(8 * Math.ceil(header.length / 8), " ");
  must(header === bytes.subarray(8, 8 + length).toString("utf8"), "opening: another header");
  must(bytes.length === 8 + length + names.length * leafBytes, "opening: its length");
  const leaves = names.map((_, k) =>
    bytes.subarray(8 + length + k * leafBytes, 8 + length + (k + 1) * leafBytes)
  );
  const hashes = leaves.map((leaf, k) => leafHash(first + k, leaf));
  const hashesOfProof = Array.from(
    { length: proof.length / 32 },
    (_, k) => proof.subarray(32 * k, 32 * k + 32),
  );
  must(
    rootOfRange(size, first, hashes, hashesOfProof).toString("hex") === root,
    "opening: its root",
  );
  const bits = leaves.map((leaf) => new Uint16Array(Uint8Array.from(leaf).buffer));
  must(
    bits.every((leaf) => leaf.every((half) => (half & 0x7c00) !== 0x7c00)),
    "opening: not finite",
  );
  const image = last === size - 2 ? hashesOfProof.at(-1) : undefined;
  return { target, steps, leaves: new Map(names.map((name, k) => [name, bits[k]])), image };
}

// Numbers

function halfValue(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const valuesOf = (bits) => Float64Array.from(bits, halfValue);

/** half(): to binary32, then to the nearest multiple of a binary16's last place. */
function half(value) {
  const single = Math.fround(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(single) || 2 ** -14)));
  const unit = 2 ** (exponent - 10);
  const [whole, rest] = [Math.floor(single / unit), single / unit - Math.floor(single / unit)];
  const up = rest > 0.5 || (rest === 0.5 && whole % 2 !== 0);
  const rounded = (whole + (up ? 1 : 0)) * unit;
  return Math.abs(rounded) > 65504 ? Math.sign(rounded) * Infinity : rounded;
}

/** Philox 4x32-10. @returns the four words. */
export function philox(counter, [key0, key1]) {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word));
  let [k0, k1] = [BigInt(key0), BigInt(key1)];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [
      (b >> 32n) ^ c1 ^ k0,
      b & 0xffffffffn,
      (a >> 32n) ^ c3 ^ k1,
      a & 0xffffffffn,
    ];
    k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
    k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** z of a draw. */
export function noise(seed, draw, length) {
  const key = [BigInt(seed) & 0xffffffffn, BigInt(seed) >> 32n];
  return Float32Array.from({ length }, (_, element) => {
    const [w0, w1] = philox([draw, 0, element, 0], key);
    const radius = Math.sqrt(-2 * Math.log((w0 + 0.5) * 2 ** -32));
    return radius * Math.sin((w1 + 0.5) * 2 ** -32 * 2 * Math.PI);
  });
}

// Level 1

const weighted = (weights, prefix, newest, leaves) =>
  weights.flatMap((weight, age) =>
    weight === 0 ? [] : [[weight, valuesOf(leaves.get(`${prefix}.${newest - age}`))]]
  );
const at = (terms, j) => terms.reduce((sum, [weight, values]) => sum + weight * values[j], 0);
const sizeAt = (terms, j) =>
  terms.reduce((sum, [weight, values]) => sum + Math.abs(weight * values[j]), 0);

/** How many of the committed values no honest evaluation gives. @param kept of a mask, and its m. */
function outsideOf(bits, terms, noiseWeight, kept) {
  const rounds = kept ? 4 + Math.max(terms.length + 1, kept.terms.length + 1) : terms.length + 1;
  const largest = Math.max(Math.abs(noiseWeight), Math.abs(kept?.noiseWeight ?? 0));
  let count = 0;
  for (const [j, committed] of [...bits].entries()) {
    let [sum, size] = [at(terms, j), sizeAt(terms, j)];
    if (kept) {
      const m = kept.m[j];
      sum = m * sum + (1 - m) * at(kept.terms, j);
      size = m * size + (1 - m) * sizeAt(kept.terms, j);
    }
    const error = rounds * 2 ** -23 * size + largest * 4e-6;
    const y = halfValue(committed);
    if (!(half(sum - error) <= y && y <= half(sum + error))) count++;
  }
  return count;
}

/** Level 1 of one opening. @param start the opening of the start, where there are sources. */
export function mustFollow({ receipt }, plan, { target, leaves }, start) {
  const { seed } = receipt.request;
  const length = receipt.latent.reduce((product, side) => product * side, 1);
  const z = (draw) => noise(seed, draw, length);
  const source = start?.leaves.get("s.0");
  const first = leaves.get("x.0");
  if (first) {
    const { sourceScale = 0, initialScale } = plan;
    const terms = sourceScale === 0 ? [] : [[sourceScale, valuesOf(source)]];
    if (initialScale !== 0) terms.push([initialScale, z(0)]);
    must(outsideOf(first, terms, initialScale) === 0, "x_0: not the seed's noise");
  }
  if (typeof target !== "number") return;
  const row = plan.rows[target];
  const terms = [
    ...weighted(row.states, "x", target, leaves),
    ...weighted(row.denoised, "d", target, leaves),
    ...(row.noise === 0 ? [] : [[row.noise, z(target + 1)]]),
  ];
  const kept = row.blend && {
    m: valuesOf(start.leaves.get("m.0")),
    terms: [
      [row.blend.source, valuesOf(source)],
      ...(row.blend.noise === 0 ? [] : [[row.blend.noise, z(0)]]),
    ],
    noiseWeight: row.blend.noise,
  };
  const next = leaves.get(`x.${target + 1}`);
  must(
    outsideOf(next, terms, row.noise, kept) === 0,
    `x_${target + 1}: not what the plan combines`,
  );
}

// Sketches

const widthOf = (steps) => Math.max(1, Math.min(16, Math.floor(750 / steps)));

/** The receipt's, as float32 of each prediction. */
export function sketchesOf({ steps, sketch }) {
  const bytes = Buffer.from(sketch, "base64");
  const [width, size] = [widthOf(steps), steps > 750 ? 3 : 4];
  must(bytes.toString("base64") === sketch, "sketch: not base64 in its one spelling");
  must(bytes.length === size * width * steps, "sketch: its length");
  const number = (k) => {
    const own = Buffer.alloc(4);
    bytes.copy(own, 4 - size, k * size, (k + 1) * size);
    return own.readFloatLE(0);
  };
  const all = Float32Array.from({ length: width * steps }, (_, k) => number(k));
  must(all.every(Number.isFinite), "sketch: not finite");
  return Array.from({ length: steps }, (_, i) => all.slice(i * width, (i + 1) * width));
}

/** @returns P of a tensor. */
function projections({ root, steps }, length) {
  const words = Buffer.from(root, "hex");
  const key = [words.readUInt32BE(0), words.readUInt32BE(4)];
  const signs = Array.from({ length }, (_, j) => philox([j, 0, 0, 0], key)[0]);
  return (values) =>
    Float32Array.from({ length: widthOf(steps) }, (_, k) => {
      let sum = 0;
      for (let j = 0; j < length; j++) sum += (signs[j] >>> k) & 1 ? -values[j] : values[j];
      return sum / Math.sqrt(length);
    });
}

const clipped = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(number);
  bytes[0] = 0;
  return bytes.readFloatLE(0);
};

/** Level 1 of a receipt's sketches, against all that was opened, x_0 among it. */
export function mustLeadTo({ receipt }, plan, openings) {
  const { steps, latent, request } = receipt;
  const sketches = sketchesOf(receipt);
  const length = latent.reduce((product, side) => product * side, 1);
  const project = projections(receipt, length);
  const leaves = new Map(openings.flatMap(({ leaves }) => [...leaves]));
  for (const [name, bits] of leaves) {
    if (!name.startsWith("d.")) continue;
    const own = project(valuesOf(bits)).map((value) => steps > 750 ? clipped(value) : value);
    const claimed = sketches[Number(name.slice(2))];
    must(own.every((value, k) => value === claimed[k]), `sketch: not that of ${name}`);
  }
  if (plan.rows.some(({ blend }) => blend)) return;
  const numbers = sketches.flatMap((each) => [...each]);
  const size = 1.5 * Math.sqrt(numbers.reduce((sum, p) => sum + p * p, 0) / numbers.length);
  const largest = Math.max(...plan.rows.map(({ alpha }) => alpha));
  const sizeOf = (m) => {
    const { alpha, sigma } = plan.rows[Math.min(m, steps - 1)];
    const own = (m < steps ? alpha : largest) * size + 1.5 * sigma;
    return m === 0 ? Math.max(own, Math.abs(plan.initialScale)) : own;
  };
  const errorOf = (sketch) => steps > 750 ? 2 ** -15 * Math.max(...sketch.map(Math.abs)) : 0;
  const projectedNoise = (draw) => project(noise(request.seed, draw, length));
  const course = [{ values: project(valuesOf(leaves.get("x.0"))), error: 0 }];
  for (const [m, row] of plan.rows.entries()) {
    const unit = (row.states.length + row.denoised.length + 2) * 2 ** -23;
    const terms = [
      ...row.states.map((weight, age) =>
        weight && [weight, { ...course[m - age], size: sizeOf(m - age) }]
      ),
      ...row.denoised.map((weight, age) =>
        weight && [weight, { values: sketches[m - age], error: errorOf(sketches[m - age]), size }]
      ),
      row.noise && [row.noise, { values: projectedNoise(m + 1), error: 4e-6, size: 1 }],
    ].filter(Boolean);
    course.push({
      values: Array.from(
        sketches[0],
        (_, k) => terms.reduce((sum, [weight, { values }]) => sum + weight * values[k], 0),
      ),
      error: terms.reduce(
        (sum, [weight, { error, size }]) => sum + Math.abs(weight) * (error + unit * size),
        8 * 2 ** -11 / Math.sqrt(3) * sizeOf(m + 1),
      ),
    });
  }
  for (const [name, bits] of leaves) {
    if (!name.startsWith("x.")) continue;
    const { values, error } = course[Number(name.slice(2))];
    const near = project(valuesOf(bits)).every((value, k) => Math.abs(value - values[k]) <= error);
    must(near, `sketch: it does not lead to ${name}`);
  }
}

// Draw

/** Words of a public draw, one at each call. */
export function publicWords(blockHash, id) {
  const key = createHmac("sha256", Buffer.from(blockHash, "hex")).update(Buffer.from(id, "hex"))
    .digest();
  let next = 0;
  return () => {
    const block = createHmac("sha256", key).update(u32(next >> 3)).digest();
    return block.readUInt32BE(4 * (next++ & 7));
  };
}

function below(n, words) {
  for (;;) {
    const word = words();
    if (word < 2 ** 32 - (2 ** 32 % n)) return word % n;
  }
}

function firstOf(deck, count, words) {
  const cards = [...deck];
  for (let j = 0; j < count; j++) {
    const other = j + below(cards.length - j, words);
    [cards[j], cards[other]] = [cards[other], cards[j]];
  }
  return cards.slice(0, count);
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);

/** Of a receipt without sketches. */
export function plainDraw(steps, count, words) {
  const deck = Array.from({ length: steps }, (_, i) => i);
  if (count === steps) return deck;
  if (count > 1 && steps % 2 === 1) deck.splice(below(steps, words), 1);
  const middle = deck[deck.length / 2];
  for (;;) {
    const drawn = firstOf(deck, count, words);
    const both = drawn.some((i) => i < middle) && drawn.some((i) => i >= middle);
    if (count === 1 || both) return sorted(drawn);
  }
}

export function draw(receipt, count, words) {
  const { steps } = receipt;
  if (receipt.sketch === undefined || count === steps || count === 1) {
    return plainDraw(steps, count, words);
  }
  const oddest = oddestStep(sketchesOf(receipt));
  const others = Array.from({ length: steps }, (_, i) => i).filter((i) => i !== oddest);
  const taken = [oddest];
  if (count > 2) {
    const late = others.slice(-5);
    taken.push(late[below(late.length, words)]);
  }
  const rest = others.filter((i) => !taken.includes(i));
  return sorted([...taken, ...firstOf(rest, count - taken.length, words)]);
}

export function oddestStep(sketches) {
  const steps = sketches.length;
  if (steps < 3) return 0;
  const norm = (terms) => {
    let squares = 0;
    for (let k = 0; k < sketches[0].length; k++) {
      squares += terms.reduce((sum, [weight, i]) => sum + weight * sketches[i][k], 0) ** 2;
    }
    return Math.sqrt(squares);
  };
  const total = sketches.reduce((sum, _, i) => sum + norm([[1, i]]) ** 2, 0);
  const u = Math.sqrt(total / steps) / 1000 || 1;
  const near = (f, i, reach, from) => {
    const found = f.filter((_, j) => j >= from && j !== i && Math.abs(j - i) <= reach);
    return sorted(found)[Math.floor((found.length - 1) / 2)];
  };
  const kink = sketches.map((_, i) =>
    i > 0 && i < steps - 1
      ? u + norm([[-0.5, i + 1], [1, i], [-0.5, i - 1]])
      : u + 0.75 * norm(i === 0 ? [[1, 1], [-1, 0]] : [[1, i], [-1, i - 1]])
  );
  const change = sketches.map((_, i) => i < 1 ? u : u + norm([[1, i], [-1, i - 1]]));
  const bend = sketches.map((_, i) => i < 2 ? u : u + norm([[1, i], [-2, i - 1], [1, i - 2]]));
  const oddness = sketches.map((_, i) =>
    Math.max(
      kink[i] / near(kink, i, 4, 0),
      i < 1 ? 0 : near(change, i, 4, 1) / change[i],
      i < 2 || steps < 4 ? 0 : near(bend, i, 8, 2) / bend[i],
    )
  );
  return oddness.indexOf(Math.max(...oddness));
}

/** @returns the number of the block that draws. */
export function readWitness(witness, id) {
  mustHave(witness, ["receipt", "block", "validator", "signature"], [], "witness");
  const { receipt, block, validator, signature } = witness;
  mustHave(block, ["number", "hash"], [], "block");
  must(isWhole(block.number, 0, 2 ** 32 - 1) && isHash(block.hash), "witness: its block");
  must(receipt === id, "witness: of another receipt");
  const statement = canonicalJson({ receipt, block, validator });
  mustBeSigned(bytesOf(`stepwise-witness-v1\n${statement}`), signature, validator);
  return block.number + 3;
}

// Image

/** Level 0 of an image, and what it holds. JPEG and WebP are compared by their bytes alone. */
export function mustBeImageOf({ receipt }, bytes) {
  const { image, request } = receipt;
  must(
    bytes.length === image.bytes && sha256(bytes).toString("hex") === image.sha256,
    "image: another",
  );
  if (image.mediaType === "image/png") mustBeCanonicalPng(bytes, request);
}

function mustBeCanonicalPng(bytes, { width, height }) {
  must(bytes.subarray(0, 8).toString("hex") === "89504e470d0a1a0a", "PNG: its signature");
  const chunks = [];
  for (let at = 8; at < bytes.length;) {
    must(at + 12 <= bytes.length, "PNG: cut");
    const length = bytes.readUInt32BE(at);
    must(at + 12 + length <= bytes.length, "PNG: cut");
    const data = bytes.subarray(at + 4, at + 8 + length);
    must(crc32(data) === bytes.readUInt32BE(at + 8 + length), "PNG: a checksum");
    chunks.push({ type: data.toString("latin1", 0, 4), data: data.subarray(4) });
    at += 12 + length;
  }
  must(/^IHDR( IDAT)+ IEND$/.test(chunks.map(({ type }) => type).join(" ")), "PNG: its chunks");
  const header = chunks[0].data;
  const channels = header[9] === 6 ? 4 : 3;
  const expected = Buffer.concat([
    u32(width),
    u32(height),
    Buffer.from([8, channels === 4 ? 6 : 2, 0, 0, 0]),
  ]);
  must(header.equals(expected) && chunks.at(-1).data.length === 0, "PNG: its header");
  const packed = Buffer.concat(chunks.slice(1, -1).map(({ data }) => data));
  const { buffer, engine } = inflateSync(packed, { info: true });
  must(engine.bytesWritten === packed.length, "PNG: bytes behind what is compressed");
  must(buffer.length === height * (1 + width * channels), "PNG: its pixels' length");
  if (channels === 4) must(opaque(buffer, width, height), "PNG: not opaque");
}

function opaque(lines, width, height) {
  const stride = 4 * width;
  let above = Buffer.alloc(stride);
  for (let y = 0; y < height; y++) {
    const [filter] = lines.subarray(y * (stride + 1));
    const line = Buffer.from(lines.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let k = 0; k < stride; k++) {
      const [a, b, c] = [line[k - 4] ?? 0, above[k], above[k - 4] ?? 0];
      line[k] += [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] ?? NaN;
      if (k % 4 === 3 && line[k] !== 255) return false;
    }
    above = line;
  }
  return true;
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [a, b, c].map((value) => Math.abs(a + b - c - value));
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}
