// Runs every exported part on the inputs that export.py saved, and compares with torch's outputs.
//
//   node check_onnx.mjs MODEL_FOLDER REFERENCE_FOLDER

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [modelFolder, referenceFolder] = process.argv.slice(2);
const ort = createRequire(resolve(process.env.NODE_MODULES_FROM ?? process.argv[1]))("onnxruntime-node");

function load(folder, { file, dims, type }) {
  const bytes = readFileSync(join(folder, file));
  const Kind = type === "int64" ? BigInt64Array : Float32Array;
  return new ort.Tensor(type, new Kind(new Uint8Array(bytes).buffer), dims);
}

/** Largest difference, beside the largest value that was expected. */
function compare(got, wanted) {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs(got[i] - wanted[i]));
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return { difference, largest };
}

for (const part of readdirSync(referenceFolder).sort()) {
  const folder = join(referenceFolder, part);
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  const keys = Object.keys(index);
  const inputs = Object.fromEntries(keys.filter((k) => !k.startsWith("out:")).map((k) => [k, load(folder, index[k])]));
  for (const file of ["model.onnx", "model.fp16.onnx"]) {
    const path = join(modelFolder, part, file);
    if (!existsSync(path)) continue;
    const session = await ort.InferenceSession.create(path);
    const outputs = await session.run(inputs);
    const results = keys.filter((k) => k.startsWith("out:")).map((k) => compare(outputs[k.slice(4)].data, load(folder, index[k]).data));
    const worst = Math.max(...results.map((r) => r.difference));
    const largest = Math.max(...results.map((r) => r.largest));
    console.log(`${part}/${file}: largest difference ${worst.toExponential(1)} (values up to ${largest.toFixed(1)})`);
  }
}
