import { Command, Option } from "commander";
import { AppError } from "../../core/error.ts";
import {
  chainOptions,
  isLocalChain,
  openWallet,
  SubtensorClient,
  walletPlace,
} from "../chain/mod.ts";
import { addConfigOption, numberFlag, sideFlag, stepsFlag, wholeFlag } from "../cli/mod.ts";
import {
  addClusterOptions,
  type Cluster,
  type ClusterFlags,
  clusterOptions,
  openNatsCluster,
} from "../cluster/mod.ts";
import { addEngineOptions, controlnetOption, loraOption } from "../compute/mod.ts";
import { DEFAULT_JOBS, DEFAULT_WEBHOOKS } from "../gateway/mod.ts";
import {
  addLogOptions,
  addNeuronOptions,
  listOption,
  logOptions,
  type NeuronFlags,
  neuronOptions,
  runNeuron,
} from "../neuron/mod.ts";
import { nsfwOption, type NsfwPolicy } from "../safety/mod.ts";
import { contentEarnings } from "./content_earnings.ts";
import { corsOrigins } from "./cors_origins.ts";
import { stopped } from "../runtime/mod.ts";
import { type Log, startLog } from "../telemetry/mod.ts";
import { DEFAULT_FORWARD } from "./forwarder.ts";
import { FETCH_MS } from "./scorer.ts";
import { startScorer } from "./start_scorer.ts";
import { startValidator } from "./start_validator.ts";
import { DEFAULT_STRESS } from "./stress_window.ts";
import type { ValidatorOptions } from "./validator_options.ts";

const HOUR_MS = 3600 * 1000;

interface ValidatorFlags extends NeuronFlags, ClusterFlags {
  readonly role: string;
  readonly "neuron.epoch_length": string;
  readonly "content.url"?: string;
  readonly "content.share": string;
  readonly "api.keys"?: string;
  readonly "api.rate": string;
  readonly "api.cors": readonly string[];
  readonly nsfw: NsfwPolicy;
  readonly "api.a1111": boolean;
  readonly metadata: boolean;
  readonly "api.url"?: string;
  readonly "c2pa.cert"?: string;
  readonly "c2pa.key"?: string;
  readonly "allow.hotkeys": readonly string[];
  readonly "forward.miners": string;
  readonly "forward.hedge": string;
  readonly "forward.timeout": string;
  readonly "forward.max_work": string;
  readonly "forward.check_share": string;
  readonly "check.timeout": string;
  readonly "jobs.keep": string;
  readonly "jobs.parallel": string;
  readonly "jobs.queue": string;
  readonly "jobs.webhooks_private": boolean;
  readonly "stress.concurrency": string;
  readonly "stress.rest": string;
  readonly "stress.max": string;
  readonly "stress.window": string;
  readonly "stress.check_share": string;
  readonly "stress.size"?: string;
  readonly "stress.steps"?: string;
  readonly prompts?: string;
  readonly calibration?: string;
  readonly "calibration.trust": readonly string[];
  readonly "scoring.url"?: string;
  readonly "scoring.hotkey"?: string;
}

const EXAMPLES = `
Examples:
  deno task validator --netuid 1 --wallet.name mine --wallet.hotkey validator --api.keys keys.txt
  deno task validator --role score --cluster nats://10.0.0.5:4222 --wallet.name mine
  deno task validator --role stress --scoring.url http://10.0.0.2:8092 --scoring.hotkey 5Grw...

Asking for an image:
  curl http://127.0.0.1:8092/v1/generate -H "authorization: Bearer $KEY" -H "accept: image/png" \\
    -H "content-type: application/json" -d '{"request":{"prompt":"a red tau symbol"}}' -o tau.png
`;

export function validatorCommand(): Command {
  const command = new Command("validator")
    .description("Serve users through miners, check what they make, and set weights.");
  addNeuronOptions(command).optionsGroup("What it does:")
    .addOption(
      new Option(
        "--role <role>",
        "forward: serves users and, without --cluster, scores; score: makes checks of a cluster's " +
          "others; stress: tests and weighs; both: all of them",
      ).choices(["forward", "score", "stress", "both"]).default("both"),
    )
    .option("--neuron.epoch_length <blocks>", "from weights to weights", "100")
    .option("--content.url <url>", "of a content server, by whose earnings creators have weights")
    .option(
      "--content.share <share>",
      "of the weights that creators have where the subnet has one mechanism alone",
      "0.2",
    )
    .option("--storage <folder>", "of what is measured (default: in the user's state folder)")
    .optionsGroup("Where it is reached:")
    .option("--axon.ip <address>", "to listen on", "127.0.0.1")
    .option("--axon.port <n>", "to listen on", "8092")
    .option(
      "--axon.allow_private",
      "ask miners at addresses that only your own network routes to (on a local chain: always)",
      false,
    )
    .option("--api.keys <file>", "a key a line, for applications")
    .option("--api.rate <n>", "requests a minute of each caller", "60")
    .addOption(
      listOption(
        "--api.cors <origins...>",
        'whose pages may ask with a key: https://app.example, or "*"',
      ),
    )
    .addOption(
      listOption("--allow.hotkeys <keys...>", "hotkeys that may ask by signature, besides its own"),
    )
    .addOption(nsfwOption())
    .option("--api.a1111", "serve AUTOMATIC1111's /sdapi/v1 too, with a key as password", false)
    .option(
      "--no-metadata",
      "leave out of images how they were made and by which receipt, and find none by its image",
    )
    .option("--api.url <url>", "where users reach this validator, for the metadata of images")
    .option("--c2pa.cert <file>", "certificates in PEM, to sign content credentials into images")
    .option("--c2pa.key <file>", "the key of the first of them")
    .optionsGroup("With what:");
  addEngineOptions(command)
    .addOption(loraOption("--lora <source>", "a LoRA that requests may name, and its miners have"))
    .addOption(
      controlnetOption(
        "a ControlNet that requests may name, besides the model's own, and miners have",
      ),
    )
    .optionsGroup("Serving users:")
    .option("--forward.miners <n>", "asked for one image, at most", String(DEFAULT_FORWARD.miners))
    .option(
      "--forward.hedge <seconds>",
      "until another miner is asked as well as a slow one",
      String(DEFAULT_FORWARD.hedgeMs / 1000),
    )
    .option(
      "--forward.timeout <seconds>",
      "that each has",
      String(DEFAULT_FORWARD.timeoutMs / 1000),
    )
    .option(
      "--forward.max_work <n>",
      "of a request, in images of the model's default size and steps",
      String(DEFAULT_FORWARD.maxWork),
    )
    .option(
      "--forward.check_share <share>",
      "of answers that are checked",
      String(DEFAULT_FORWARD.checkShare),
    )
    .option(
      "--check.timeout <seconds>",
      "that a miner has for all that one check fetches: openings and image together",
      String(FETCH_MS / 1000),
    )
    .option(
      "--calibration <file>",
      "records of what honest machines are like, by `calibrate --record` (besides the model's own)",
    )
    .addOption(
      listOption("--calibration.trust <keys...>", "hotkeys whose records are believed"),
    )
    .optionsGroup("Jobs of applications:")
    .option(
      "--jobs.keep <hours>",
      "for which a job and its images are kept after its end",
      String(DEFAULT_JOBS.keepMs / HOUR_MS),
    )
    .option("--jobs.parallel <n>", "images made at the same time", String(DEFAULT_JOBS.parallel))
    .option("--jobs.queue <n>", "images that may wait, of all keys", String(DEFAULT_JOBS.queue))
    .option("--jobs.webhooks_private", "call webhooks in your own network too", false)
    .optionsGroup("Testing miners:")
    .option(
      "--stress.window <seconds>",
      "for which all miners are loaded, at the same moment; many times what an image takes",
      String(DEFAULT_STRESS.windowMs / 1000),
    )
    .option("--stress.rest <seconds>", "from one window to the next, on average", "600")
    .option(
      "--stress.max <n>",
      "requests of one miner at once, at most",
      String(DEFAULT_STRESS.max),
    )
    .option(
      "--stress.check_share <share>",
      `of answers that are checked; at most ${DEFAULT_STRESS.maxChecks} of a miner and window`,
      String(DEFAULT_STRESS.checkShare),
    )
    .option("--stress.concurrency <n>", "miners whose answers are checked at the same time", "16")
    .option("--stress.size <pixels>", "of synthetic images (default: the model's)")
    .option("--stress.steps <n>", "of synthetic images (default: the model's)")
    .option("--prompts <file or URL>", "a prompt a line, of any length; read where chance says")
    .option("--scoring.url <url>", "of the forwarding validator, for --role stress")
    .option("--scoring.hotkey <address>", "its hotkey");
  addClusterOptions(command, "this process keeps all itself");
  addConfigOption(addLogOptions(command));
  return command.addHelpText("after", EXAMPLES).action(validate);
}

async function validate(flags: ValidatorFlags): Promise<void> {
  const log = startLog(logOptions(flags));
  const wallet = await openWallet(walletPlace(flags));
  const joined = clusterOptions(flags);
  await using cluster = joined && await openNatsCluster(joined, log);
  if (flags.role === "score") return await score(flags, wallet.hotkey.address, { cluster, log });
  const subnet = chainOptions(flags);
  await using chain = await SubtensorClient.connect(subnet);
  const { "scoring.url": url, "scoring.hotkey": signedFor } = flags;
  const [size, steps] = [flags["stress.size"], flags["stress.steps"]];
  const validator = await startValidator({
    ...neuronOptions("validator", flags, { wallet, subnet, log }),
    chain,
    privateAxons: flags["axon.allow_private"] || isLocalChain(chain.chainType),
    roles: rolesOf(flags.role, cluster !== undefined),
    epochLength: wholeFlag("--neuron.epoch_length", flags["neuron.epoch_length"], 1, 1e6),
    content: contentOf(flags),
    forward: {
      ...DEFAULT_FORWARD,
      miners: wholeFlag("--forward.miners", flags["forward.miners"], 1, 32),
      hedgeMs: 1000 * numberFlag("--forward.hedge", flags["forward.hedge"], 0),
      timeoutMs: 1000 * numberFlag("--forward.timeout", flags["forward.timeout"], 0.1),
      maxWork: numberFlag("--forward.max_work", flags["forward.max_work"], 0),
      checkShare: numberFlag("--forward.check_share", flags["forward.check_share"], 0, 1),
    },
    stress: {
      ...DEFAULT_STRESS,
      max: wholeFlag("--stress.max", flags["stress.max"], 1, 1024),
      windowMs: 1000 * numberFlag("--stress.window", flags["stress.window"], 0.1, 3600),
      checkShare: numberFlag("--stress.check_share", flags["stress.check_share"], 0, 1),
    },
    fetchMs: fetchMsOf(flags),
    concurrency: wholeFlag("--stress.concurrency", flags["stress.concurrency"], 1, 64),
    restMs: 1000 * numberFlag("--stress.rest", flags["stress.rest"], 0),
    prompts: flags.prompts,
    synthetic: {
      ...(size === undefined ? {} : { size: sideFlag("--stress.size", size) }),
      ...(steps === undefined ? {} : { steps: stepsFlag("--stress.steps", steps) }),
    },
    scoring: url !== undefined && signedFor !== undefined ? { url, signedFor } : undefined,
    cluster,
    calibration: calibrationOf(flags),
    apiKeys: flags["api.keys"],
    allowed: flags["allow.hotkeys"],
    origins: corsOrigins(flags["api.cors"]),
    nsfw: flags.nsfw,
    a1111: flags["api.a1111"],
    metadata: flags.metadata,
    publicUrl: flags["api.url"],
    credentials: credentialsOf(flags),
    requestsPerMinute: wholeFlag("--api.rate", flags["api.rate"], 1, 1e6),
    jobs: {
      ...DEFAULT_JOBS,
      parallel: wholeFlag("--jobs.parallel", flags["jobs.parallel"], 1, 1024),
      queue: wholeFlag("--jobs.queue", flags["jobs.queue"], 1, 1e6),
      keepMs: HOUR_MS * numberFlag("--jobs.keep", flags["jobs.keep"], 0, 1e5),
    },
    webhooks: { ...DEFAULT_WEBHOOKS, allowPrivate: flags["jobs.webhooks_private"] },
  });
  await runNeuron("validating", validator, log);
}

/** Without a cluster who serves users checks too. */
function rolesOf(role: string, clustered: boolean): ValidatorOptions["roles"] {
  const [forward, stress] = [role !== "stress", role !== "forward"];
  return { forward, stress, score: clustered ? role === "both" : forward };
}

/** Needs no chain: what it is given to check is all that it knows. */
async function score(
  flags: ValidatorFlags,
  of: string,
  { cluster, log }: { readonly cluster: Cluster | undefined; readonly log: Log },
): Promise<void> {
  if (!cluster) {
    throw new AppError(
      "invalid_request",
      "Cannot score: --cluster is not given; name the NATS servers, as in nats://10.0.0.5:4222",
    );
  }
  const { model, variant, vae, configs, lora: adapters, controlnet: controls, compute, gpu } =
    flags;
  const scorer = await startScorer({
    ...{ cluster, of, log, model, variant, vae, configs, adapters, controls, compute, gpu },
    ...{ calibration: calibrationOf(flags), fetchMs: fetchMsOf(flags) },
  });
  log("scoring", { hotkey: of });
  await stopped();
  log("stopping", { waiting: "for what runs; another Ctrl-C ends it at once" });
  await scorer[Symbol.asyncDispose]();
  log("stopped", {});
}

function fetchMsOf(flags: ValidatorFlags): number {
  return 1000 * numberFlag("--check.timeout", flags["check.timeout"], 0.1, 100);
}

function contentOf(
  { "content.url": url, "content.share": part }: ValidatorFlags,
): ValidatorOptions["content"] {
  const share = numberFlag("--content.share", part, 0, 1);
  return url === undefined ? undefined : { read: contentEarnings(url), share };
}

/** @throws AppError `invalid_request` for one without the other. */
function credentialsOf(
  { "c2pa.cert": chain, "c2pa.key": key, metadata }: ValidatorFlags,
): ValidatorOptions["credentials"] {
  if (chain === undefined && key === undefined) return undefined;
  if (chain !== undefined && key !== undefined && metadata) return { chain, key };
  throw new AppError(
    "invalid_request",
    "Cannot validate: content credentials need --c2pa.cert and --c2pa.key, and no --no-metadata",
  );
}

/** @throws AppError `invalid_request` for a file of which nothing could be believed. */
function calibrationOf(
  { calibration: file, "calibration.trust": trusted }: ValidatorFlags,
): ValidatorOptions["calibration"] {
  if (file === undefined) return undefined;
  if (trusted.length > 0) return { file, trusted };
  throw new AppError(
    "invalid_request",
    "Cannot validate: --calibration is given, and --calibration.trust names nobody whose records " +
      "count",
  );
}
