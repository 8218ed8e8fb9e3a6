import { Command, Option } from "commander";
import process from "node:process";
import { AppError, reason } from "../core/error.ts";
import {
  decodeRequest,
  encodeImage,
  encodeRequest,
  type Generation,
  imageFormatOf,
  type Leaf,
} from "../core/generation/mod.ts";
import { catalogueEntryOf } from "../core/inference/mod.ts";
import { encodeSafetensors } from "../core/transcript/mod.ts";
import { COMPUTE_KINDS, openCompute, parseComputeKind } from "./compute/mod.ts";
import { Progress } from "./progress.ts";
import { checkWritable, knownModels, openModel, writeAtomically } from "./storage/mod.ts";

interface GenerateFlags {
  readonly negative?: string;
  readonly negative2?: string;
  readonly prompt2?: string;
  readonly width?: string;
  readonly height?: string;
  readonly steps?: string;
  readonly guidance?: string;
  readonly seed?: string;
  readonly scheduler?: string;
  readonly batch?: string;
  readonly keywords: boolean;
  readonly model: string;
  readonly variant?: string;
  readonly compute: string;
  readonly chromePath?: string;
  readonly out?: string;
  readonly transcriptOut?: string;
  readonly quality: string;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  deno task generate "a golden tau symbol in a night sky with stars" --out gold.png
  deno task generate "a neon tao logo" --steps 30 --scheduler sde-dpmsolver++ --seed 7 --batch 4
  deno task generate "a lighthouse at dusk" --model hf:owner/name --width 1024 --height 1024
`;

export function generateCommand(): Command {
  return new Command("generate")
    .description("Make an image from a prompt.")
    .argument("<prompt>", `what to draw; "" lets the model choose`)
    .optionsGroup("What to draw:")
    .option("--negative <prompt>", "what to steer away from")
    .option("--prompt2 <prompt>", "for SDXL's second text encoder (default: the prompt)")
    .option("--negative2 <prompt>", "its negative prompt (default: --negative)")
    .option("--width <pixels>", "a multiple of 8 (default: the model's)")
    .option("--height <pixels>", "a multiple of 8 (default: the model's)")
    .option("--batch <images>", "images with seeds seed, seed+1, ... (default: 1)")
    .option("--seed <n>", "0 to 2^64-1: the same seed makes the same image (default: random)")
    .option("--no-keywords", `leave "bittensor", "tao logo", ... as they are in the prompts`)
    .optionsGroup("How to draw it:")
    .option("--steps <n>", "1 to 1000 (default: the model's)")
    .option(
      "--guidance <scale>",
      "classifier-free guidance, none at 1 or below (default: the model's)",
    )
    .option(
      "--scheduler <name|json>",
      "a name (dpmpp_2m, sde-dpmsolver++, euler, euler_a, ddim, lcm, unipc, ...)\n" +
        "or a diffusers scheduler_config.json in quotes (default: the model's)",
    )
    .optionsGroup("With what:")
    .option("--model <source>", "embedded, a folder, hf:owner/name[@revision] or a URL", "embedded")
    .option("--variant <name>", "other weights of the same model, for example fp16")
    .addOption(
      new Option("--compute <host>", "what computes").choices([...COMPUTE_KINDS]).default("auto"),
    )
    .option(
      "--chrome-path <file>",
      "of --compute chrome (default: CHROME_PATH, or an installed one)",
    )
    .optionsGroup("What to write:")
    .option("-o, --out <file>", ".png, .jpg or .webp (default: stepwise-<seed>.png)")
    .option("--quality <n>", "of .jpg and .webp, 1 to 100", "92")
    .option("--transcript-out <file>", "every state and prediction as float16 safetensors")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText("after", EXAMPLES)
    .action(generate);
}

async function generate(prompt: string, flags: GenerateFlags): Promise<void> {
  const progress = new Progress({ quiet: flags.json });
  const cancelled = onInterrupt();
  const started = performance.now();
  const seed = BigInt(crypto.getRandomValues(new Uint32Array(1))[0]);
  const input = requestInput(prompt, flags);
  // Checked before a model is fetched; completed when its defaults are known.
  const draft = decodeRequest(input, { width: 8, height: 8, steps: 1, guidanceScale: 1, seed });
  const quality = decodeQuality(flags.quality);
  const outputs = outputPaths(flags.out ?? `stepwise-${draft.seed}.png`, draft.batch);
  const format = imageFormatOf(outputs[0]);
  for (const path of [...outputs, flags.transcriptOut]) if (path) await checkWritable(path);

  const files = await openModel(flags.model, {
    variant: flags.variant,
    signal: cancelled,
    onProgress: (event) => progress.model(event),
  });
  const known = catalogueEntryOf(flags.model, knownModels());
  await using host = await openCompute(parseComputeKind(flags.compute), flags);
  await using engine = await host.open(files, {
    onPart: (part) => progress.hint(`Loading ${part}`),
  });
  const request = decodeRequest(input, { ...engine.defaults, ...known?.defaults, seed });
  const loaded = performance.now();
  progress.say(`${engine.model} on ${engine.compute} (${host.reason}), seed ${request.seed}`);

  const leaves: Leaf[] = [];
  const generation = await engine.generate(request, {
    signal: cancelled,
    onStep: ({ index, steps }) => progress.step("step", index + 1, steps),
    onLeaf: flags.transcriptOut ? (leaf) => leaves.push(leaf) : undefined,
  });
  const generated = performance.now();
  const encoded = await Promise.all(
    generation.images.map((image) => encodeImage(image, format, quality)),
  );
  const encodeMs = performance.now() - generated;
  cancelled.throwIfAborted();
  for (const [k, bytes] of encoded.entries()) await writeAtomically(outputs[k], bytes);
  if (flags.transcriptOut) {
    await writeAtomically(flags.transcriptOut, transcriptFile(generation, leaves));
  }
  const totalMs = performance.now() - started;
  for (const notice of generation.notices) progress.say(notice);
  if (flags.json) {
    console.log(JSON.stringify(
      {
        request: encodeRequest(generation.request),
        seed: String(request.seed),
        model: engine.model,
        compute: { runtime: engine.compute, reason: host.reason },
        solver: generation.plan.solver,
        output: outputs[0],
        outputs,
        transcript: flags.transcriptOut,
        notices: generation.notices,
        timings: { loadMs: loaded - started, ...generation.timings, encodeMs, totalMs },
        peakMemoryBytes: peakMemory(),
        deviceMemory: generation.deviceMemory,
      },
      null,
      2,
    ));
  } else progress.say(summary(outputs, generation, totalMs));
}

/** The request as JSON would carry it: only what was given, numbers as numbers. */
function requestInput(prompt: string, flags: GenerateFlags): Record<string, unknown> {
  const given = {
    prompt,
    prompt2: flags.prompt2,
    negativePrompt: flags.negative,
    negativePrompt2: flags.negative2,
    width: numberOr(flags.width),
    height: numberOr(flags.height),
    steps: numberOr(flags.steps),
    guidanceScale: numberOr(flags.guidance),
    seed: flags.seed,
    scheduler: flags.scheduler && parseScheduler(flags.scheduler),
    batch: numberOr(flags.batch),
    expandKeywords: flags.keywords,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The number, or the text itself where it is none, so that an error can show what was typed. */
function numberOr(text: string | undefined): number | string | undefined {
  if (text === undefined || text.trim() === "") return text;
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function parseScheduler(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError(
      "invalid_request",
      `Cannot generate: --scheduler is not well-formed JSON (${reason(cause)})`,
      { cause },
    );
  }
}

function decodeQuality(text: string): number {
  const quality = Number(text);
  if (quality >= 1 && quality <= 100) return quality;
  throw new AppError(
    "invalid_request",
    `Cannot generate: --quality is ${text}, not a number from 1 to 100`,
  );
}

/** `x.png`, or `x-1.png`, `x-2.png`, ... for a batch. */
function outputPaths(out: string, batch: number): string[] {
  if (batch === 1) return [out];
  const dot = out.lastIndexOf(".");
  return Array.from({ length: batch }, (_, k) => `${out.slice(0, dot)}-${k + 1}${out.slice(dot)}`);
}

function transcriptFile(generation: Generation, leaves: readonly Leaf[]): Uint8Array<ArrayBuffer> {
  const { request, latentDims } = generation;
  const dims = [request.batch, ...latentDims];
  return encodeSafetensors(
    leaves.map(({ kind, index, bits }) => ({ name: `${kind}.${index}`, dims, bits })),
    { request: JSON.stringify(encodeRequest(request)) },
  );
}

/** Ctrl-C stops between two network calls; a second one at once. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort(new AppError("cancelled", "Cannot generate: it was cancelled"));
  });
  return controller.signal;
}

/** The process's highest resident size so far, in bytes. */
function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function summary(outputs: readonly string[], { timings }: Generation, totalMs: number): string {
  const network = timings.networkMs.reduce((sum, ms) => sum + ms, 0);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  return `${outputs.join("\n")}\n${timings.networkMs.length} steps in ` +
    `${seconds(network + timings.solverMs)}, all in ${seconds(totalMs)}, ` +
    `${Math.round(peakMemory() / 2 ** 20)} MiB at most`;
}
