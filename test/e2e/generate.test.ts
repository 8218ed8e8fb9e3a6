import decodePng from "@jsquash/png/decode.js";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, runProcess, spawnCli } from "../fixtures/cli.ts";
import { filesIn, temporaryFolder } from "../fixtures/temporary_folder.ts";
import { writeTinySd } from "../fixtures/tiny_sd.ts";

const PROMPT = "a golden tau symbol in a night sky with stars";

/** Small and short, on the CPU. */
const quick = (...args: string[]) => [
  ...["generate", PROMPT, "--compute", "cpu", "--width", "128", "--height", "64"],
  ...["--steps", "2", "--seed", "5", ...args],
];

/** Tensors of a safetensors file: name to shape and bytes. */
function readSafetensors(file: Uint8Array<ArrayBuffer>) {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const { __metadata__: metadata, ...entries } = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + length)),
  );
  const tensors = Object.entries<{ dtype: string; shape: number[]; data_offsets: number[] }>(
    entries,
  ).map(([name, { dtype, shape, data_offsets: [from, to] }]) =>
    [name, { dtype, shape, bytes: file.slice(8 + length + from, 8 + length + to) }] as const
  );
  return { metadata, tensors: new Map(tensors) };
}

test("generate writes a PNG, a transcript, and one JSON object", async () => {
  const folder = await temporaryFolder();
  const [out, transcript] = ["x.png", "t.safetensors"].map((name) => join(folder, name));
  const run = await runProcess(quick("--out", out, "--transcript-out", transcript, "--json"));
  expect(run).toMatchObject({ code: 0, stderr: "" });
  const result = JSON.parse(run.stdout);
  expect(result).toMatchObject({
    request: { prompt: PROMPT, width: 128, height: 64, steps: 2, seed: "5", batch: 1 },
    seed: "5",
    model: "tau-tiny",
    output: out,
  });
  expect(result.timings.networkMs).toHaveLength(2);
  for (const part of ["loadMs", "textMs", "solverMs", "decodeMs", "encodeMs", "totalMs"]) {
    expect(result.timings[part]).toBeGreaterThan(0);
  }
  expect(result.peakMemoryBytes).toBeGreaterThan(50e6);
  expect(result.peakMemoryBytes).toBeLessThan(1e9);
  const image = await decodePng(Deno.readFileSync(out).buffer);
  expect([image.width, image.height]).toEqual([128, 64]);
  const { metadata, tensors } = readSafetensors(Deno.readFileSync(transcript));
  expect(JSON.parse(metadata.request)).toEqual(result.request);
  expect([...tensors.keys()]).toEqual(["x.0", "d.0", "x.1", "d.1", "x.2"]);
  for (const tensor of tensors.values()) {
    expect(tensor).toMatchObject({ dtype: "F16", shape: [1, 4, 8, 16] });
  }
  expect(filesIn(folder)).toEqual(["t.safetensors", "x.png"]);
});

test("the same request gives the same bits, and an image is the same in a batch", async () => {
  const folder = await temporaryFolder();
  const made = async (name: string, ...args: string[]) => {
    const transcript = join(folder, `${name}.safetensors`);
    const out = join(folder, `${name}.png`);
    const run = await runCli(quick("--out", out, "--transcript-out", transcript, ...args));
    expect(run.code, run.stderr).toBe(0);
    return readSafetensors(Deno.readFileSync(transcript)).tensors;
  };
  const sampler = ["--scheduler", "sde-dpmsolver++"];
  const once = await made("once", ...sampler);
  expect(await made("again", ...sampler)).toEqual(once);
  const batch = await made("batch", ...sampler, "--seed", "4", "--batch", "3");
  for (const [name, { shape, bytes }] of batch) {
    expect(shape).toEqual([3, 4, 8, 16]);
    const size = bytes.length / 3;
    expect(bytes.subarray(size, 2 * size)).toEqual(once.get(name)?.bytes);
  }
  expect(Deno.readFileSync(join(folder, "batch-2.png")))
    .toEqual(Deno.readFileSync(join(folder, "once.png")));
});

describe("a file that is there is kept", () => {
  test("under a default name the image gets a number", async () => {
    const folder = `${await temporaryFolder()}/made/here/`;
    for (const batch of ["1", "1", "2", "1"]) {
      const run = await runCli(quick("--out", folder, "--batch", batch));
      expect(run.code, run.stderr).toBe(0);
    }
    // Of a batch all have the same number.
    const endings = ["-2-1", "-2-2", "-2", "-3", ""];
    expect(filesIn(folder)).toEqual(endings.map((ending) => `stepwise-5${ending}.png`));
  });

  test.each(["--out", "--receipt-out", "--transcript-out"])("%s", async (flag) => {
    const folder = await temporaryFolder();
    const mine = join(folder, "mine.png");
    Deno.writeTextFileSync(mine, "mine");
    const args = flag === "--out" ? [] : ["--out", join(folder, "x.png")];
    const run = await runCli(quick(...args, flag, mine));
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toBe(`Cannot write ${mine}: it is there already; --force replaces it.\n`);
    expect(Deno.readTextFileSync(mine)).toBe("mine");
    expect(filesIn(folder)).toEqual(["mine.png"]);
    expect((await runCli(quick(...args, flag, mine, "--force"))).code).toBe(0);
    expect(Deno.statSync(mine).size).toBeGreaterThan(100);
  });
});

test("--out folder takes the image under its usual name, and a run that fails makes none", async () => {
  const folder = await temporaryFolder();
  const at = (name: string) => ["--out", folder, "--receipt-out", folder, "--model", name];
  const missing = await runCli(quick("--out", join(folder, "new/"), "--model", "no-such-model"));
  expect(missing.code).toBe(2);
  expect(filesIn(folder)).toEqual([]);
  const run = await runCli(quick(...at("embedded"), "--transcript-out", folder, "--json"));
  expect(JSON.parse(run.stdout)).toMatchObject({ output: join(folder, "stepwise-5.png") });
  expect(filesIn(folder)).toEqual(["json", "png", "safetensors"].map((end) => `stepwise-5.${end}`));
});

test("--out - writes the image to stdout, and all that is said to stderr", async () => {
  const folder = await temporaryFolder();
  const run = await runCli(quick("--out", "-", "--steps", "1"));
  expect(run.code, run.stderr).toBe(0);
  const image = await decodePng(run.bytes.buffer);
  expect([image.width, image.height]).toEqual([128, 64]);
  expect(run.stderr).toMatch(/^1 step in [0-9.]+ s, all in /m);
  expect(filesIn(folder)).toEqual([]);
});

test("a notice says that a prompt's weights are read as text", async () => {
  const folder = await temporaryFolder();
  const args = quick("--out", join(folder, "x.png"), "--negative", "(blurry:1.2), [[dark]]");
  args[1] = "a (red:1.5) tau, (gold:1.1)";
  const { stderr } = await runCli(args);
  expect(stderr.match(/.* is read as plain text.*/g)).toEqual([
    '"(red:1.5)" is read as plain text, as weighting is "none" and not "a1111"',
  ]);
});

test("progress goes to stderr as plain lines when it is no terminal", async () => {
  const folder = await temporaryFolder();
  const out = join(folder, "x.jpg");
  const run = await runProcess(quick("--out", out));
  expect(run).toMatchObject({ code: 0, stdout: "" });
  expect(run.stderr).toContain("step 2/2");
  expect(run.stderr).toContain(out);
  expect(run.stderr).not.toContain("\x1b");
});

test("a prompt that is too long is cut, and the user sees what was cut", async () => {
  const folder = await temporaryFolder();
  const out = join(folder, "x.png");
  const long = [...quick("--out", out)];
  long[1] = `${"tau symbol and ".repeat(30)} the very end`;
  const run = await runCli(long);
  expect(run.code).toBe(0);
  expect(run.stderr).toMatch(/^The prompt has 94 tokens, 75 are used: .*the very end"$/m);
});

describe("bad input exits with 2, says why, and writes nothing", () => {
  test.each([
    [["--width", "510"], "width is 510, not a multiple of 8"],
    [["--width", "0"], "width is 0, not a multiple of 8"],
    [["--steps", "0"], "steps is 0, not a whole number from 1 to 1000"],
    [["--steps", "2000"], "steps is 2000, not a whole number from 1 to 1000"],
    [["--guidance", "NaN"], 'guidanceScale is "NaN", not a number'],
    [["--seed", "-2"], 'seed is "-2", not a whole number from 0 to 2^64-1'],
    [["--seed", "18446744073709551616"], "not a whole number from 0 to 2^64-1"],
    [["--batch", "0"], "batch is 0"],
    [["--scheduler", "magic"], 'scheduler is "magic", must be one of'],
    [["--scheduler", "{broken"], "--scheduler is not well-formed JSON"],
    [["--model", "no-such-model"], 'Cannot find the model "no-such-model"'],
    [["--variant", "int3"], "Cannot use variant int3"],
    [["--compute", "abacus"], "abacus"],
    [["--out", "x.gif"], "not .png, .jpg, .jpeg or .webp"],
    [["--out", "x.jpg", "--quality", "0"], "--quality is 0"],
    [["--quality", "80"], "--quality is of .jpg and .webp"],
    [["--out", "-", "--quality", "92"], "--quality is of .jpg and .webp"],
    [["--out", "-", "--json"], "standard output: --json prints there"],
    [["--out", "-", "--batch", "2"], "standard output: it takes one, not 2"],
    [
      ["--width", "80"],
      "width is 80, not a multiple of 32 pixels, which this model needs; 64 and 96",
    ],
    [
      ["--height", "8"],
      "height is 8, not a multiple of 32 pixels, which this model needs; the least",
    ],
    [["--out", "/no/such/folder/x.png"], "the folder /no/such/folder is not there"],
    [["--out", "./same.png", "--receipt-out", "same.png"], "same.png: it is asked for twice"],
    [["--transcript-out", "/no/such/t.safetensors"], "the folder /no/such is not there"],
    [["--frobnicate"], "--frobnicate"],
  ])("%j: %s", async (args, words) => {
    const folder = await temporaryFolder();
    const out = args.includes("--out") ? [] : ["--out", join(folder, "x.png")];
    const run = await runCli(quick(...out, ...args));
    expect(run.stderr).toContain(words);
    expect(run.stderr).not.toContain("    at ");
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(filesIn(folder)).toEqual([]);
  });

  test("an empty prompt is no bad input", async () => {
    const folder = await temporaryFolder();
    const args = quick("--out", join(folder, "x.png"));
    args[1] = "";
    expect((await runCli(args)).code).toBe(0);
  });

  test.each([
    ["without unet", "unet/model.onnx", undefined, "nor unet/model.onnx"],
    ["with half a unet", "unet/model.onnx", 0.5, "unet/model.onnx"],
    ["with half a VAE", "vae_decoder/model.onnx", 0.5, "vae_decoder/model.onnx"],
    ["without merges", "tokenizer/merges.txt", undefined, "tokenizer/merges.txt is missing"],
    ["with half a configuration", "unet/config.json", 0.5, "unet/config.json"],
  ])("a model folder %s", async (_, path, keep, words) => {
    const folder = await temporaryFolder();
    const model = join(folder, "model");
    await writeTinySd(model);
    const file = join(model, path);
    if (keep === undefined) Deno.removeSync(file);
    else Deno.truncateSync(file, Math.floor(Deno.statSync(file).size * keep));
    const run = await runCli(quick("--model", model, "--out", join(folder, "x.png")));
    expect(run.stderr).toContain(words);
    expect(run.stderr).not.toContain("    at ");
    expect(run.code).toBe(2);
    expect(filesIn(folder)).toEqual(["model"]);
  });
});

test("Ctrl-C stops the run and leaves no file", async () => {
  const folder = await temporaryFolder();
  const process = spawnCli(quick("--out", join(folder, "x.png"), "--steps", "1000"));
  const reader = process.stderr.getReader();
  let said = "";
  while (!said.includes("step ")) {
    const { value, done } = await reader.read();
    if (done) break;
    said += new TextDecoder().decode(value);
  }
  process.kill("SIGINT");
  reader.releaseLock();
  await Promise.all([process.stderr.cancel(), process.stdout.cancel()]);
  expect((await process.status).code).toBe(130);
  expect(filesIn(folder)).toEqual([]);
});

test("help says what there is, and exits with 0", async () => {
  const run = await runCli(["generate", "--help"]);
  expect(run.code).toBe(0);
  for (const flag of ["--negative", "--scheduler", "--transcript-out", "Examples:"]) {
    expect(run.stdout).toContain(flag);
  }
});
