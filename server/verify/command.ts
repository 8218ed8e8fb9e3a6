import process from "node:process";
import { Command, Option } from "commander";
import { AppError } from "../../core/error.ts";
import type { KnownModel } from "../../core/model/mod.ts";
import {
  decodeWitness,
  drawBlockOf,
  type Receipt,
  receiptId,
  type Witness,
} from "../../core/transcript/mod.ts";
import {
  chooseSteps,
  type ChosenSteps,
  type Level,
  openVerifier,
  type StepChoice,
  type Verdict,
  type Verification,
} from "../../core/verifier/mod.ts";
import {
  finalBlockHash,
  imageOfMiner,
  inputOfMiner,
  type MinerAddress,
  minerAddress,
  openingsOfMiner,
} from "../../core/protocol/mod.ts";
import {
  computeOption,
  controlnetOption,
  gpuOption,
  loraOption,
  openCompute,
  parseComputeKind,
  parseLora,
} from "../compute/mod.ts";
import { knownEntry, openKnownModel } from "../models/mod.ts";
import { Progress } from "../cli/mod.ts";
import { readJsonFile, readReceipt } from "../sources/mod.ts";

import { tellApart } from "./given_files.ts";
import { parentOfReceipt, readCommitted } from "./given_parent.ts";
import { openingsOfFile } from "./opening_source.ts";
import { type FetchInput, sourcesOfReceipt } from "./given_sources.ts";
import { parseLevel, parseSteps, parseTimeout } from "./settings.ts";
import { reportText } from "./table.ts";

interface VerifyFlags {
  readonly from?: string;
  readonly token?: string;
  readonly transcript?: string;
  readonly image?: string;
  readonly source?: string;
  readonly sourceMask?: string;
  readonly parent?: string;
  readonly parentImage?: string;
  readonly upscaler?: string;
  readonly controlImage?: readonly string[];
  readonly controlnet?: readonly string[];
  readonly steps?: string;
  readonly level?: string;
  readonly blockHash?: string;
  readonly witness?: string;
  readonly chain?: string;
  readonly timeout: string;
  readonly model?: string;
  readonly vae?: string;
  readonly configs?: string;
  readonly lora?: readonly string[];
  readonly compute: string;
  readonly chromePath?: string;
  readonly gpu?: string;
  readonly json: boolean;
}

const HELP = `
Levels, cheapest first; each holds the ones before:
  0  the signature, the plan, the model's files, and the proofs of what is opened
  1  x_0 is the noise of the seed, and each opened step the plan's combination of its leaves
  2  each opened step's prediction is what the network makes of its state (needs the model)
  3  the image is the decoded last state

Exit code: 0 honest, 3 suspect (further off than honest machines are), 4 invalid (a signature, a
proof, the arithmetic or a withheld opening), 2 nothing could be checked, and the message says why.

Examples:
  deno task verify r.json t.safetensors x.png
  deno task verify r.json --from http://miner.example:8091 --token TsP... --steps 5
  deno task verify r.json t.safetensors --level 1 --steps all --json
`;

export function verifyCommand(): Command {
  return new Command("verify")
    .description("Check a receipt, and some of its steps, against what was signed.")
    .argument(
      "<files...>",
      "the receipt, its transcript and image, what it was made\nfrom, LoRAs, and its parent, in any order",
    )
    .optionsGroup("What it is checked against:")
    .option("--from <url>", "the miner, which opens the steps")
    .option("--token <token>", "the receipt's opening token, which the miner gave with it")
    .option(
      "--transcript <file>",
      "the transcript, of generate --transcript-out, if it is not among the files",
    )
    .option("--image <file>", "the image, if it is not among the files")
    .option("--source <file>", "the image that it was made from, where there is one")
    .option("--source-mask <file>", "its mask")
    .option("--parent <receipt>", "the receipt that it goes on from, if it is not among the files")
    .option("--parent-image <file>", "the image of that one, if it is not among the files")
    .addOption(
      new Option(
        "--control-image <file>",
        "an image that a ControlNet drew along, in any order; may be given several times",
      ).argParser<readonly string[]>((value, before = []) => [...before, value]),
    )
    .option("--timeout <seconds>", "for each answer of the miner", "30")
    .optionsGroup("How much:")
    .option(
      "--steps <n|all|list>",
      "how many steps to draw, all, or which: 0,14,29 (one: 14,)\n(default: 3)",
    )
    .option("--level <n>", "0 to 3 (default: 3 with an image, 2 without)")
    .option("--block-hash <hex>", "draw by a block that was made after the receipt: repeatable")
    .option(
      "--witness <file>",
      "what the validator signed when it had the receipt: which block draws",
    )
    .option("--chain <ws url>", "a node of the chain, which has that block's hash")
    .optionsGroup("With what:")
    .option("--model <source>", "as for generate (default: the receipt's, if it is a known one)")
    .option("--vae <source>", "as for generate")
    .option("--configs <folder>", "as for generate")
    .addOption(
      loraOption("--lora <source>", "a LoRA that the receipt names, which says its strength"),
    )
    .addOption(controlnetOption())
    .option("--upscaler <source>", "as for generate (default: the request's, if it is at hand)")
    .addOption(computeOption())
    .addOption(gpuOption())
    .option("--chrome-path <file>", "of --compute chrome")
    .option("--json", "print one JSON object and nothing else", false)
    .addHelpText("after", HELP)
    .action(verify);
}

const EXIT_CODES: Readonly<Record<Verdict, number>> = { honest: 0, suspect: 3, invalid: 4 };

/** Where there is nothing to open steps with. */
const NOTHING: ChosenSteps = { steps: [], draw: "chosen" };

async function verify(paths: readonly string[], given: VerifyFlags): Promise<void> {
  const { transcript, image, source, sourceMask, parent, parentImage, controlImage, lora } = given;
  const named = { transcript, image, source, sourceMask, parent, parentImage, controlImage, lora };
  const files = await tellApart(paths, definedOf(named));
  await verifyFile(files.receipt, { ...given, ...files });
}

async function verifyFile(path: string, flags: VerifyFlags): Promise<void> {
  using progress = new Progress({ quiet: flags.json });
  const choice = parseSteps(flags.steps, flags.blockHash);
  const receipt = await readReceipt(path);
  const { fetchInput, ...given } = await checkedAgainst(receipt, flags);
  const chosen = chooseSteps(receipt, await witnessedChoice(receipt, choice, flags));
  const drawn = given.source ? chosen : NOTHING;
  const model = await ownModel(receipt, flags, progress);
  await using stack = new AsyncDisposableStack();
  const verifier = await openVerifier(model);
  const report = await verifier.verify({
    ...{ ...given, receipt, drawn },
    sources: await sourcesOfReceipt(receipt, flags, given.level, fetchInput),
    parent: await parentOfReceipt(receipt, flags),
    openEngine: async () => {
      const host = stack.use(await openCompute(parseComputeKind(flags.compute), flags));
      const engine = stack.use(await host.open(model.files));
      progress.say(`${engine.model} on ${engine.compute} (${host.reason})`);
      return engine;
    },
  });
  console.log(flags.json ? JSON.stringify(report, null, 2) : reportText(report));
  process.exitCode = EXIT_CODES[report.verdict];
}

/** Drawn by the block that a validator's witness names, where one is given. */
async function witnessedChoice(
  receipt: Receipt,
  choice: StepChoice,
  { witness: path, chain, timeout }: VerifyFlags,
): Promise<StepChoice> {
  if (path === undefined) {
    return chain === undefined ? choice : refuse("--chain reads a witness' block: give --witness");
  }
  if ("take" in choice) refuse("--witness draws steps, and --steps says which");
  const witness = witnessIn(await readJsonFile(path));
  const block = drawBlockOf(witness, receiptId(receipt));
  if (choice.blockHash !== undefined) return { ...choice, witness };
  if (chain === undefined) {
    refuse(`--witness names block ${block}: give --chain, which has its hash, or --block-hash`);
  }
  const blockHash = await finalBlockHash(chain, block, parseTimeout(timeout));
  return { ...choice, witness, block, blockHash };
}

/** It alone, or in a validator's answer. */
function witnessIn(json: unknown): Witness {
  const { witness = json } = Object(json);
  return decodeWitness(witness);
}

function definedOf<T extends object>(values: T): Partial<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

/** What the flags name to check it against, and how far. */
async function checkedAgainst(
  receipt: Receipt,
  flags: VerifyFlags,
): Promise<
  Pick<Verification, "source" | "image" | "level"> & { readonly fetchInput?: FetchInput }
> {
  if (flags.from !== undefined && flags.transcript !== undefined) {
    refuse("--from and --transcript both open the steps: give one");
  }
  const miner = flags.from === undefined ? undefined : minerOf(flags.from, flags);
  const file = flags.image === undefined ? undefined : await readCommitted(receipt, flags.image);
  const level = levelOf(flags, file !== undefined);
  const image = file
    ? () => Promise.resolve(file)
    : miner && level === 3
    ? () => imageOfMiner(miner, receipt)
    : undefined;
  if (level === 3 && !image) refuse("--level 3 compares the image: give --image");
  const source = miner
    ? openingsOfMiner(miner)
    : flags.transcript === undefined
    ? undefined
    : openingsOfFile(flags.transcript, file);
  const id = receiptId(receipt);
  const fetchInput = miner && ((sha256: string) => inputOfMiner(miner, id, sha256));
  return { source, image, level, fetchInput };
}

function minerOf(from: string, { timeout, token }: VerifyFlags): MinerAddress {
  const timeoutMs = parseTimeout(timeout);
  try {
    return minerAddress(from, timeoutMs, token);
  } catch {
    return refuse(`--from is ${from}, not an http(s) address`);
  }
}

/** As far as the given files go, unless --level says. */
function levelOf(flags: VerifyFlags, image: boolean): Level {
  const asked = parseLevel(flags.level);
  const opens = flags.from !== undefined || flags.transcript !== undefined;
  if (!opens && (asked ?? 0) > 0) {
    refuse(`--level ${asked} opens steps: give --from or --transcript`);
  }
  if (!opens && flags.steps !== undefined) refuse("--steps needs --from or --transcript");
  return asked ?? (!opens ? 0 : image ? 3 : 2);
}

/** A receipt may name anything: of what it names, only a model of the catalogue is opened. */
async function ownModel(
  { model: { id, variant }, request }: Receipt,
  flags: VerifyFlags,
  progress: Progress,
): Promise<KnownModel> {
  const given = flags.model ?? knownEntry(id)?.id;
  if (given === undefined) {
    return refuse(`the receipt's model, ${id}, is not in the catalogue: give it with --model`);
  }
  const model = await openKnownModel(given, {
    variant,
    vae: flags.vae,
    configs: flags.configs,
    adapters: flags.lora?.map((given) => parseLora(given).source),
    controls: flags.controlnet,
    onProgress: (event) => progress.model(event),
  });
  requireAdapters(request, model);
  return model;
}

function requireAdapters({ adapters }: Receipt["request"], { files }: KnownModel): void {
  for (const used of Array.isArray(adapters) ? adapters : []) {
    const { sha256, scale } = Object(used);
    if (files.adapters?.some((each) => each.sha256 === sha256)) continue;
    refuse(`the request used the adapter ${sha256} at ${scale}: give its file with --lora`);
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
