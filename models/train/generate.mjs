// Makes pictures from a model folder with onnxruntime-node, for evaluation: 20 steps of what scheduler_config.json asks
// for (DPM-Solver++ of second order, ODE or SDE, Karras sigmas), guidance 5.
//
//   node generate.mjs MODEL_FOLDER REQUESTS.json OUT_FOLDER [fp32|fp16] [batch]
//
// REQUESTS.json: [{ ids, ids_two, empty, empty_two: int[77], seed, width, height, edges?, scale? }], written by
// evaluate.py. OUT_FOLDER gets 000000.rgb ... (uint8[height, width, 3]) and the seconds it took.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [modelFolder, requestsFile, outFolder, variant = "fp32", batchText = "8"] = process.argv.slice(2);
const require = createRequire(resolve(process.env.NODE_MODULES_FROM ?? process.argv[1]));
const ort = require("onnxruntime-node");

const STEPS = 20;
const GUIDANCE = 5;
const SCALING_FACTOR = 0.13025;
const threads = Number(process.env.STEPWISE_TRAIN_THREADS ?? 2);
const options = { intraOpNumThreads: threads, extra: { session: { intra_op: { allow_spinning: "0" } } } };

const file = (part) => join(modelFolder, part, variant === "fp16" ? "model.fp16.onnx" : "model.onnx");
const open = (part) => ort.InferenceSession.create(file(part), options);
const f32 = (data, dims) => new ort.Tensor("float32", data, dims);
const i64 = (rows) => new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);

/** Standard normal numbers of a seed: mulberry32 and Box-Muller. */
function gaussian(seed) {
  let a = seed >>> 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Karras sigmas (rho 7) from the noisiest to the cleanest, then 0; timesteps by log-linear interpolation. */
function schedule(config) {
  const known = [];
  let bar = 1;
  for (let i = 0; i < config.num_train_timesteps; i++) {
    const at = i / (config.num_train_timesteps - 1);
    bar *= 1 - (Math.sqrt(config.beta_start) * (1 - at) + Math.sqrt(config.beta_end) * at) ** 2;
    known.push(Math.sqrt((1 - bar) / bar));
  }
  const [high, low] = [known.at(-1) ** (1 / 7), known[0] ** (1 / 7)];
  const sigmas = Array.from({ length: STEPS }, (_, i) => (high + (i / (STEPS - 1)) * (low - high)) ** 7);
  const timesteps = sigmas.map((sigma) => {
    const above = known.findIndex((s) => s >= sigma - 1e-9);
    if (above <= 0) return 0;
    const [a, b] = [Math.log(known[above - 1]), Math.log(known[above])];
    return Math.round(above - 1 + (Math.log(sigma) - a) / (b - a));
  });
  return { sigmas: [...sigmas, 0], timesteps };
}

async function encodePrompts(sessions, requests) {
  const rows = (key) => i64(requests.map((r) => r[key]));
  const run = async (one, two) => {
    const first = await sessions.text_encoder.run({ input_ids: rows(one) });
    const second = await sessions.text_encoder_2.run({ input_ids: rows(two) });
    return { a: first["hidden_states.1"], b: second["hidden_states.1"], pooled: second.text_embeds };
  };
  const [plain, asked] = [await run("empty", "empty_two"), await run("ids", "ids_two")];
  const [n, length] = plain.a.dims;
  const [ca, cb, p] = [plain.a.dims[2], plain.b.dims[2], plain.pooled.dims[1]];
  const text = new Float32Array(2 * n * length * (ca + cb));
  [plain, asked].forEach((side, s) => {
    for (let row = 0; row < n * length; row++) {
      const at = (s * n * length + row) * (ca + cb);
      text.set(side.a.data.subarray(row * ca, (row + 1) * ca), at);
      text.set(side.b.data.subarray(row * cb, (row + 1) * cb), at + ca);
    }
  });
  const pooled = new Float32Array(2 * n * p);
  pooled.set(plain.pooled.data, 0);
  pooled.set(asked.pooled.data, n * p);
  return { text: f32(text, [2 * n, length, ca + cb]), pooled: f32(pooled, [2 * n, p]) };
}

/** Residuals of the control network for this step's input, or nothing. */
async function control(sessions, requests, inputs) {
  if (!requests[0].edges) return {};
  const { width, height, scale } = requests[0];
  const plane = width * height;
  const picture = new Float32Array(2 * requests.length * 3 * plane);
  requests.forEach((r, i) => {
    const edges = readFileSync(r.edges);
    for (let side = 0; side < 2; side++) {
      for (let c = 0; c < 3; c++) {
        const at = ((side * requests.length + i) * 3 + c) * plane;
        for (let k = 0; k < plane; k++) picture[at + k] = edges[k] / 255;
      }
    }
  });
  return sessions.controlnet.run({
    ...inputs,
    controlnet_cond: f32(picture, [2 * requests.length, 3, height, width]),
    conditioning_scale: f32(Float32Array.of(scale), [1]),
  });
}

async function generate(sessions, config, requests) {
  const n = requests.length;
  const [w, h] = [requests[0].width / 8, requests[0].height / 8];
  const size = 4 * w * h;
  const { sigmas, timesteps } = schedule(config);
  const { text, pooled } = await encodePrompts(sessions, requests);
  const side = [h * 8, w * 8, 0, 0, h * 8, w * 8];
  const timeIds = f32(Float32Array.from({ length: 12 * n }, (_, i) => side[i % 6]), [2 * n, 6]);
  const normals = requests.map((r) => gaussian(r.seed));
  const draw = () => Float32Array.from({ length: n * size }, (_, i) => normals[Math.floor(i / size)]());
  const sde = config.algorithm_type.startsWith("sde");
  const unet = requests[0].edges ? sessions.unet_controlnet : sessions.unet;
  let x = draw().map((v) => v * sigmas[0]);
  let before, hBefore;
  for (let i = 0; i < STEPS; i++) {
    const alpha = 1 / Math.sqrt(1 + sigmas[i] ** 2);
    const input = new Float32Array(2 * n * size);
    for (let k = 0; k < n * size; k++) input[k] = input[k + n * size] = x[k] * alpha;
    const inputs = {
      sample: f32(input, [2 * n, 4, h, w]),
      timestep: f32(Float32Array.of(timesteps[i]), [1]),
      encoder_hidden_states: text,
      text_embeds: pooled,
      time_ids: timeIds,
    };
    const residuals = await control(sessions, requests, inputs);
    const { out_sample } = await unet.run({ ...inputs, ...residuals });
    const eps = out_sample.data;
    const denoised = x.map((v, k) => v - sigmas[i] * (eps[k] + GUIDANCE * (eps[k + n * size] - eps[k])));
    if (sigmas[i + 1] === 0) {
      x = denoised;
      break;
    }
    const step = Math.log(sigmas[i] / sigmas[i + 1]);
    const guess = before ? denoised.map((v, k) => v + ((v - before[k]) * step) / (2 * hBefore)) : denoised;
    const ratio = sigmas[i + 1] / sigmas[i];
    if (sde) {
      const noise = draw();
      const [keep, take] = [ratio * Math.exp(-step), 1 - Math.exp(-2 * step)];
      const spread = sigmas[i + 1] * Math.sqrt(take);
      x = x.map((v, k) => keep * v + take * guess[k] + spread * noise[k]);
    } else {
      x = x.map((v, k) => ratio * v - Math.expm1(-step) * guess[k]);
    }
    [before, hBefore] = [denoised, step];
  }
  const latents = f32(x.map((v) => v / SCALING_FACTOR), [n, 4, h, w]);
  return (await sessions.vae_decoder.run({ latent_sample: latents })).sample;
}

function saveRgb(sample, index, path) {
  const [, , h, w] = sample.dims;
  const rgb = Buffer.alloc(3 * h * w);
  for (let c = 0; c < 3; c++) {
    const at = (index * 3 + c) * h * w;
    for (let k = 0; k < h * w; k++) rgb[3 * k + c] = Math.max(0, Math.min(255, Math.round((sample.data[at + k] + 1) * 127.5)));
  }
  writeFileSync(path, rgb);
}

const requests = JSON.parse(readFileSync(requestsFile, "utf8"));
const config = JSON.parse(readFileSync(join(modelFolder, "scheduler/scheduler_config.json"), "utf8"));
if (process.env.ALGORITHM) config.algorithm_type = process.env.ALGORITHM;
const names = requests[0].edges ? ["text_encoder", "text_encoder_2", "controlnet", "unet_controlnet", "vae_decoder"] : ["text_encoder", "text_encoder_2", "unet", "vae_decoder"];
const sessions = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await open(name)])));
mkdirSync(outFolder, { recursive: true });
const started = performance.now();
const max = Number(batchText);
for (let i = 0; i < requests.length;) {
  const same = (r) => r && r.width === requests[i].width && r.height === requests[i].height && r.scale === requests[i].scale;
  let n = 1;
  while (n < max && same(requests[i + n])) n++;
  const sample = await generate(sessions, config, requests.slice(i, i + n));
  for (let k = 0; k < n; k++) saveRgb(sample, k, join(outFolder, `${String(i + k).padStart(6, "0")}.rgb`));
  i += n;
}
const seconds = (performance.now() - started) / 1000;
writeFileSync(join(outFolder, "seconds.json"), JSON.stringify({ seconds, pictures: requests.length, batch: max, threads, variant }));
console.log(`${requests.length} pictures in ${seconds.toFixed(1)} s`);
