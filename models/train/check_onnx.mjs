// Runs every exported part on the inputs that export.py saved, and compares with torch's outputs. Fails when a float32
// part is further off than torch.testing.assert_close allows float32 by default: 1e-5, and 1.3e-6 of the value, so that
// outputs of 16 (the control network's) are held to the digits that they have.
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

const [ABSOLUTE, RELATIVE] = [1e-5, 1.3e-6];

/** Largest difference, beside the largest value that was expected, and how many values are too far off. */
function compare(got, wanted) {
  let [difference, largest, beyond] = [0, 0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const off = Math.abs(got[i] - wanted[i]);
    difference = Math.max(difference, off);
    largest = Math.max(largest, Math.abs(wanted[i]));
    if (!(off <= ABSOLUTE + RELATIVE * Math.abs(wanted[i]))) beyond++;
  }
  return { difference, largest, beyond };
}

let failed = false;
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
    const beyond = results.reduce((sum, r) => sum + r.beyond, 0);
    if (file !== "model.onnx" || beyond === 0) continue;
    failed = true;
    console.error(`${part}/${file}: ${beyond} values are further from torch's than ${ABSOLUTE} + ${RELATIVE} of themselves`);
  }
}
process.exitCode = failed ? 1 : 0;
