import { Command } from "commander";
import process from "node:process";
import { AppError } from "../../core/error.ts";
import { completeRequest, decodeDraft, encodeRequest, randomSeed } from "../../core/request/mod.ts";
import { encodeImage, imageFormatOf } from "../../core/image/mod.ts";
import type { Generation } from "../../core/generation/mod.ts";
import { encodeReceipt } from "../../core/transcript/mod.ts";
import { addEngineOptions, openCompute, parseComputeKind } from "../compute/mod.ts";
import { type Hotkey, openHotkey } from "../../core/keys/mod.ts";
import { makeReceipts, RunRecorder, transcriptFile } from "../../core/prover/mod.ts";
import { openKnownModel } from "../models/mod.ts";
import {
  decodeQuality,
  type GenerateFlags,
  outputPaths,
  refuseSameFiles,
  requestInput,
} from "./input.ts";
import { Progress } from "../cli/mod.ts";
import { checkWritable, writeTogether } from "../storage/mod.ts";

const EXAMPLES = `
Examples:
  deno task generate "a golden tau symbol in a night sky with stars" --out gold.png
  deno task generate "a neon tao logo" --steps 30 --scheduler sde-dpmsolver++ --seed 7 --batch 4
  deno task generate "a lighthouse at dusk" --model hf:owner/name --width 1024 --height 1024
  deno task generate "a gold tau" --out x.png --receipt-out r.json --transcript-out t.safetensors
`;

export function generateCommand(): Command {
  const command = new Command("generate")
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
    .optionsGroup("With what:");
  return addEngineOptions(command)
    .option(
      "--chrome-path <file>",
      "of --compute chrome (default: CHROME_PATH, or an installed one)",
    )
    .optionsGroup("What to write:")
    .option("-o, --out <file>", ".png, .jpg or .webp (default: stepwise-<seed>.png)")
    .option("--quality <n>", "of .jpg and .webp, 1 to 100", "92")
    .option("--transcript-out <file>", "every state and prediction as float16 safetensors")
    .option(
      "--receipt-out <file>",
      "a signed receipt for deno task verify; r-1.json, ... for a batch",
    )
    .option(
      "--signing-seed <hex>",
      "32 bytes, of the sr25519 key that signs it\n" +
        "(default: STEPWISE_SIGNING_SEED, or a key made for this run)",
    )
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText("after", EXAMPLES)
    .action(generate);
}

async function generate(prompt: string, flags: GenerateFlags): Promise<void> {
  using progress = new Progress({ quiet: flags.json });
  const cancelled = onInterrupt();
  const started = performance.now();
  const draft = decodeDraft(requestInput(prompt, flags), { seed: randomSeed() });
  const quality = decodeQuality(flags.quality);
  const outputs = outputPaths(flags.out ?? `stepwise-${draft.seed}.png`, draft.batch);
  const format = imageFormatOf(outputs[0]);
  const receiptPaths = flags.receiptOut ? outputPaths(flags.receiptOut, draft.batch) : [];
  const hotkey = flags.receiptOut ? openHotkey(signingSeed(flags)) : undefined;
  const written = [...outputs, ...receiptPaths, flags.transcriptOut].flatMap((path) => path || []);
  refuseSameFiles(written);
  for (const path of written) await checkWritable(path);

  const model = await openKnownModel(flags.model, {
    variant: flags.variant,
    signal: cancelled,
    onProgress: (event) => progress.model(event),
  });
  await using host = await openCompute(parseComputeKind(flags.compute), flags);
  await using engine = await host.open(model.files, {
    onPart: (part) => progress.hint(`Loading ${part}`),
  });
  const request = completeRequest(draft, { ...engine.defaults, ...model.defaults });
  const loaded = performance.now();
  progress.say(`${engine.model} on ${engine.compute} (${host.reason}), seed ${request.seed}`);

  const begun = Date.now();
  const recorder = flags.transcriptOut || hotkey
    ? new RunRecorder(request, { keep: flags.transcriptOut !== undefined })
    : undefined;
  const generation = await engine.generate(request, {
    signal: cancelled,
    onStep: ({ index, steps }) => progress.step("step", index + 1, steps),
    onLeaf: recorder?.add,
  });
  const generated = performance.now();
  const encoded = await Promise.all(
    generation.images.map((image) => encodeImage(image, format, quality)),
  );
  const encodeMs = performance.now() - generated;
  const commitments = recorder?.finish(encoded) ?? [];
  const receipts = hotkey
    ? await makeReceipts({
      generation,
      model: await model.facts(),
      format,
      files: encoded,
      commitments,
      times: { started: begun, finished: Date.now() },
    }, hotkey)
    : [];
  cancelled.throwIfAborted();
  await writeTogether([
    ...encoded.map((bytes, k) => ({ path: outputs[k], bytes })),
    ...flags.transcriptOut
      ? [{
        path: flags.transcriptOut,
        bytes: transcriptFile(generation, recorder?.leaves ?? [], commitments),
      }]
      : [],
    ...receiptPaths.map((path, k) => ({ path, bytes: encodeReceipt(receipts[k]) })),
  ]);
  if (hotkey) progress.say(signedBy(hotkey, receiptPaths));
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
        receipts: hotkey && receiptPaths,
        miner: hotkey?.address,
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

/** The environment keeps it out of the list of processes. */
function signingSeed({ signingSeed }: GenerateFlags): string | undefined {
  return signingSeed ?? (process.env.STEPWISE_SIGNING_SEED || undefined);
}

function signedBy({ address, fresh }: Hotkey, paths: readonly string[]): string {
  const key = fresh ? "a key made for this run" : "the given key";
  return `${paths.join(", ")}: signed with ${key}, ${address}`;
}

/** Ctrl-C stops between two network calls; a second one at once. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    if (controller.signal.aborted) process.exit(130);
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
