import { Command, Option } from "commander";
import process from "node:process";
import { counted } from "../../core/counted.ts";
import { AppError } from "../../core/error.ts";
import { completeRequest, decodeDraft, encodeRequest, randomSeed } from "../../core/request/mod.ts";
import { type ImageFormat, imageFormatOf } from "../../core/image/mod.ts";
import type { Generation } from "../../core/generation/mod.ts";
import { receiptId } from "../../core/transcript/mod.ts";
import {
  addEngineOptions,
  controlnetOption,
  loraOption,
  openCompute,
  openUpscaler,
  parseComputeKind,
} from "../compute/mod.ts";
import { type Hotkey, openHotkey } from "../../core/keys/mod.ts";
import { openKnownModel } from "../models/mod.ts";
import { fittedSources, readSources, sizeOfSource } from "../sources/mod.ts";
import { checkControlFlags, controlInput, parseControl, withNetworks } from "./control_flags.ts";
import { decodeQuality, type GenerateFlags, requestInput } from "./input.ts";
import { givenLoras } from "./given_loras.ts";
import { withLoraTags } from "./lora_tags.ts";
import { committedOutputs, filesOf, pastedBack, prepareSources, suffixesOf } from "./inpainting.ts";
import { planOutputs, STDOUT, writeOutputs, writtenFiles } from "./outputs.ts";
import { promptOf, readParent } from "./parent.ts";
import { runRequest } from "./run_request.ts";
import {
  enlarge,
  enlargedFile,
  filesBeside,
  generateEnlarged,
  onlyEnlarged,
  sizeOf,
  sourceOf,
  upscalingOf,
  writeEnlarged,
} from "./upscaling.ts";
import { Progress } from "../cli/mod.ts";

const EXAMPLES = `
Examples:
  deno task generate "a golden tau symbol in a night sky with stars" --out gold.png
  deno task generate "a neon tao logo" --steps 30 --scheduler sde-dpmsolver++ --seed 7 --batch 4
  deno task generate "a lighthouse at dusk" --model hf:owner/name --width 1024 --height 1024
  deno task generate "a gold tau" --out x.png --receipt-out r.json --transcript-out t.safetensors
  deno task generate "a golden tau" --image neon.png --strength 0.6 --out golden.png
  deno task generate "a night sky" --image x.png --outpaint 64,0,64,0 --out wide.png
  deno task generate "a gold tau" --upscale 2 --refine --out large.png
  deno task generate --image x.png --parent r.json --upscale 2 --refine --out large.png
  deno task generate "a neon tau" --control canny:photo.jpg:0.8 --out along.png
  deno task generate "a gold tau" --out - | display
`;

export function generateCommand(): Command {
  const command = new Command("generate")
    .description("Make an image from a prompt.")
    .argument("[prompt]", `what to draw; "" lets the model choose (default: that of --parent)`)
    .optionsGroup("What to draw:")
    .option("--negative <prompt>", "what to steer away from")
    .option(
      "--prompt2 <prompt>",
      "for the second text encoder of SDXL, SD 3 and FLUX\n(default: the prompt)",
    )
    .option("--negative2 <prompt>", "its negative prompt (default: --negative)")
    .option(
      "--width <pixels>",
      "a multiple of 32 (the embedded model, SDXL), 64\n" +
        "(Stable Diffusion 1 and 2) or 16 (3, FLUX)\n(default: the model's)",
    )
    .option("--height <pixels>", "the same")
    .option("--batch <images>", "images with seeds seed, seed+1, ... (default: 1)")
    .option("--seed <n>", "0 to 2^64-1: the same seed makes the same image (default: random)")
    .addOption(
      new Option("--weighting <way>", "how weights are written into prompts: (word:1.3), word++")
        .choices(["none", "a1111", "compel"]),
    )
    .option("--clip-skip <layers>", "layers left out at the end of the text encoders (default: 0)")
    .option("--no-keywords", `leave "bittensor", "tao logo", ... as they are in the prompts`)
    .optionsGroup("What to start from:")
    .option(
      "--image <file>",
      "a PNG, JPEG or WebP that is drawn anew, scaled to --width and --height",
    )
    .option(
      "--strength <share>",
      "how much of the run is done, above 0 to 1: 1 keeps almost nothing of the image\n" +
        "(default: 0.8, with --mask 1)",
    )
    .option("--mask <file>", "what of the image is drawn anew: white is, black is kept")
    .addOption(
      new Option(
        "--control <[canny:]file[:scale[:start[:end]]]>",
        "an image of edges, or with canny: one whose edges are found, that a ControlNet draws along;\n" +
          "scale 0 to 10 (default: 1), start and end as shares of the run (default: 0, 1);\n" +
          "may be given several times",
      ).argParser<readonly string[]>((value, before = []) => [...before, value]),
    )
    .option("--mask-blur <px>", "soften the edges of the mask by a Gaussian of so many pixels")
    .option("--only-masked", "draw what the mask is white for at full size, and put it back")
    .option("--padding <px>", "of --only-masked: what is seen around it (default: 32)")
    .option("--outpaint <left,top,right,bottom>", "pixels to add to the image on each side")
    .option("--parent <receipt>", "the receipt of --image, which the new one then names")
    .optionsGroup("Larger:")
    .option("--upscale <factor>", "enlarge the image, or --image: above 1, at most 8")
    .option(
      "--refine [share]",
      "then draw it anew, by this share of the steps (default: 0.35)",
    )
    .option(
      "--upscaler <source>",
      "what enlarges: lanczos, esrgan-slim-x2, or an ESRGAN or Real-ESRGAN network:\n" +
        "a .safetensors or .onnx file, hf:owner/name/file or a URL (default: lanczos)",
    )
    .optionsGroup("How to draw it:")
    .option("--steps <n>", "1 to 1000 (default: the model's)")
    .option(
      "--guidance <scale>",
      "classifier-free guidance, none at 1 or below (default: the model's)",
    )
    .option(
      "--guidance-rescale <share>",
      "0 to 1: how far guidance keeps the deviation of the prompt alone (default: 0)",
    )
    .option(
      "--scheduler <name|json>",
      "a name (dpmpp_2m, sde-dpmsolver++, euler, euler_a, ddim, lcm, unipc, pndm, lms, heun, deis, ...)\n" +
        "or a diffusers scheduler_config.json in quotes (default: the model's)",
    )
    .option(
      "--vae-tiling",
      "decode in tiles, which takes less memory and changes the image a little",
    )
    .optionsGroup("With what:");
  return addEngineOptions(command)
    .addOption(loraOption())
    .addOption(controlnetOption())
    .option(
      "--lora-folder <folder>",
      "where <lora:name:0.8> of an a1111 prompt finds name.safetensors\n(default: the current folder)",
    )
    .option(
      "--chrome-path <file>",
      "of --compute chrome (default: CHROME_PATH, or an installed one)",
    )
    .optionsGroup("What to write:")
    .option(
      "-o, --out <file>",
      ".png, .jpg or .webp; a folder/; or - for standard output\n" +
        "(default: stepwise-<seed>.png, with a number where that is there already)",
    )
    .option("--force", "replace files that are there", false)
    .option("--quality <n>", "of .jpg and .webp, 1 to 100 (default: 92)")
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

async function generate(typed: string | undefined, given: GenerateFlags): Promise<void> {
  const upscaling = upscalingOf(given);
  using progress = new Progress({ quiet: given.json });
  const cancelled = onInterrupt();
  const started = performance.now();
  const controlFlags = (given.control ?? []).map(parseControl);
  checkControlFlags(controlFlags, given.controlnet ?? []);
  const controls = controlFlags.map(({ path }) => path);
  const files = await readSources({ image: given.image, mask: given.mask, controls });
  const parent = given.parent === undefined ? undefined : await readParent(given.parent, files);
  const upscaler = upscaling && await openUpscaler(given.upscaler);
  const ahead = upscaling && upscaler && files.image &&
    await enlarge(files.image.pixels, upscaling, upscaler);
  if (ahead && upscaling.refine === undefined) return await writeEnlarged(ahead, given, progress);
  const { prompt, flags } = withLoraTags(typed ?? promptOf(parent), given);
  const prepared = await prepareSources(
    ahead ? { ...files, image: sourceOf(ahead) } : files,
    given,
  );
  const { sources } = prepared;
  const named = {
    image: sources.image?.sha256,
    mask: sources.mask?.sha256,
    control: controlInput(controlFlags, (files.controls ?? []).map(({ sha256 }) => sha256)),
    parent: parent && receiptId(parent),
    ...(flags.width === undefined && flags.height === undefined && prepared.size),
    ...(ahead && { ...sizeOf(ahead), strength: upscaling?.refine }),
    ...(ahead && parent && { upscaler: upscaler?.id }),
  };
  const draft = decodeDraft({ ...requestInput(prompt, flags), ...named }, { seed: randomSeed() });
  const outputs = await planOutputs(flags, draft, [
    ...filesBeside(upscaling, ahead),
    ...suffixesOf(prepared),
  ]);
  const format = formatOf(outputs.images[0]);
  const quality = decodeQuality(flags.quality, format);
  const hotkey = flags.receiptOut ? openHotkey(signingSeed(flags)) : undefined;

  const loras = givenLoras(flags.lora);
  const model = await openKnownModel(flags.model, {
    variant: flags.variant,
    configs: flags.configs,
    vae: flags.vae,
    adapters: loras.sources,
    controls: flags.controlnet,
    signal: cancelled,
    onProgress: (event) => progress.model(event),
  });
  await using host = await openCompute(parseComputeKind(flags.compute), flags);
  await using engine = await host.open(model.files, {
    onPart: (part) => progress.hint(`Loading ${part}`),
  });
  const adapters = loras.uses(model.files.adapters);
  const defaults = { ...engine.defaults, ...model.defaults };
  const scheduler = draft.scheduler ?? model.defaults.scheduler;
  const size = sizeOfSource(sources, draft, defaults);
  const control = withNetworks(draft.control, model.files.controls);
  const asked = { ...draft, ...size, scheduler, adapters, control };
  const request = completeRequest(asked, defaults);
  const loaded = performance.now();
  progress.say(`${engine.model} on ${engine.compute} (${host.reason}), seed ${request.seed}`);

  const context = {
    ...{ engine, format, quality, hotkey, cancelled, progress },
    facts: model.facts,
  };
  const made = upscaling && upscaler && !ahead
    ? await generateEnlarged(context, request, outputs, { upscaling, upscaler, sources })
    : await runRequest(
      context,
      request,
      fittedSources(sources, request),
      committedOutputs(outputs, prepared),
    );
  const { generation, receiptPaths: receipts, encodeMs } = made;
  cancelled.throwIfAborted();
  const all = [
    ...made.files,
    ...ahead ? [enlargedFile(ahead, outputs)] : [],
    ...await filesOf(prepared, outputs, generation.images, context),
  ];
  await writeOutputs(all);
  const several = upscaling !== undefined || suffixesOf(prepared).length > 0;
  if (hotkey) progress.say(signedBy(hotkey, receipts));
  if (prepared.paste) progress.say(pastedBack(outputs));
  const totalMs = performance.now() - started;
  for (const notice of generation.notices) progress.say(notice);
  if (upscaling && upscaling.refine === undefined) progress.say(onlyEnlarged(outputs.images[0]));
  if (flags.json) {
    console.log(JSON.stringify(
      {
        request: encodeRequest(generation.request),
        seed: String(request.seed),
        model: engine.model,
        compute: { runtime: engine.compute, reason: host.reason },
        solver: generation.plan.solver,
        output: outputs.images[0],
        outputs: outputs.images,
        transcript: outputs.transcript,
        receipts: hotkey && receipts,
        ...(several && { files: all.map(({ path }) => path) }),
        miner: hotkey?.address,
        notices: generation.notices,
        timings: { loadMs: loaded - started, ...generation.timings, encodeMs, totalMs },
        peakMemoryBytes: peakMemory(),
        deviceMemory: generation.deviceMemory,
      },
      null,
      2,
    ));
  } else {
    const written = several ? all.map(({ path }) => path) : outputs.images;
    progress.say(summary(written, generation, totalMs));
  }
}

/** Standard output has no ending to tell it by: PNG. */
function formatOf(path: string): ImageFormat {
  return path === STDOUT ? "png" : imageFormatOf(path);
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
    console.error("\nStopping after this step; another Ctrl-C ends it at once.");
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
  const cost = `${counted(timings.networkMs.length, "step")} in ` +
    `${seconds(network + timings.solverMs)}, all in ${seconds(totalMs)}, ` +
    `${Math.round(peakMemory() / 2 ** 20)} MiB at most`;
  return [...writtenFiles(outputs), cost].join("\n");
}
