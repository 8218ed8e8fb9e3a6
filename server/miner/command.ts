import { Command, Option } from "commander";
import { REQUEST_LIMITS } from "../../core/request_limits.ts";
import {
  chainOptions,
  checkReach,
  isLocalChain,
  openWallet,
  SubtensorClient,
  walletPlace,
} from "../chain/mod.ts";
import {
  addClusterOptions,
  type ClusterFlags,
  clusterOptions,
  openNatsCluster,
} from "../cluster/mod.ts";
import { addConfigOption, numberFlag, wholeFlag } from "../cli/mod.ts";
import { addEngineOptions, controlnetOption, loraOption } from "../compute/mod.ts";
import {
  addLogOptions,
  addNeuronOptions,
  listOption,
  logOptions,
  MINER_PORT,
  type NeuronFlags,
  neuronOptions,
  runNeuron,
} from "../neuron/mod.ts";
import { nsfwOption, type NsfwPolicy } from "../safety/mod.ts";
import { startLog } from "../telemetry/mod.ts";
import { DEFAULT_MAX_WORK, startMiner } from "./start_miner.ts";

interface MinerFlags extends NeuronFlags, ClusterFlags {
  readonly chain: boolean;
  readonly "axon.external_ip"?: string;
  readonly "axon.external_port"?: string;
  readonly generation_endpoint: readonly string[];
  readonly queue: string;
  readonly batch: string;
  readonly max_work: string;
  readonly storageBytes: string;
  readonly "blacklist.hotkeys": readonly string[];
  readonly "blacklist.coldkeys": readonly string[];
  readonly "blacklist.force_validator_permit": boolean;
  readonly "blacklist.allow_non_registered": boolean;
  readonly "blacklist.validator_minimum_tao": string;
  readonly "whitelist.hotkeys": readonly string[];
  readonly "whitelist.endpoint"?: string;
  readonly nsfw: NsfwPolicy;
  readonly "receipts.public": boolean;
}

const EXAMPLES = `
Examples:
  deno task miner --netuid 1 --wallet.name mine --wallet.hotkey miner --axon.external_ip 203.0.113.7
  deno task miner --subtensor.network devnet --wallet.hotkey //Bob --axon.external_ip 127.0.0.2
  deno task miner --wallet.name mine --generation_endpoint http://10.0.0.5:8091 http://10.0.0.6:8091
  deno task miner --wallet.name mine --cluster nats://10.0.0.5:4222 nats://10.0.0.6:4222
  deno task miner --no-chain --whitelist.hotkeys 5Grw... --wallet.hotkey miner
`;

export function minerCommand(): Command {
  const command = new Command("miner").description("Make images for validators, and open steps.");
  addNeuronOptions(command)
    .option("--no-chain", "take requests of --whitelist.hotkeys alone, and register nowhere");
  command.optionsGroup("Where it is reached:")
    .option("--axon.ip <address>", "to listen on", "0.0.0.0")
    .option("--axon.port <n>", "to listen on", String(MINER_PORT))
    .option(
      "--axon.external_ip <address>",
      "to serve on the chain (default: none, and no validator finds this miner)",
    )
    .option("--axon.external_port <n>", "to serve on the chain (default: --axon.port)")
    .option(
      "--axon.allow_private",
      "serve an address that only your own network routes to (on a local chain: always)",
      false,
    )
    .optionsGroup("With what:")
    .addOption(
      new Option(
        "--generation_endpoint <urls...>",
        "image generators: miners with --no-chain, each by its own address, since it opens what it " +
          "made; a load balancer before them would have to be sticky",
      ).default([], "this process makes the images"),
    );
  addEngineOptions(command)
    .addOption(loraOption("--lora <source>", "a LoRA that requests may name"))
    .addOption(controlnetOption("a ControlNet that requests may name, besides the model's own"))
    .option("--queue <n>", "requests that may wait", "16")
    .option(
      "--batch <n>",
      "images that run together, where their requests allow it, and of one request at most",
      "4",
    )
    .option(
      "--max_work <n>",
      "of a request, in images of the model's default size and steps",
      String(DEFAULT_MAX_WORK),
    )
    .option("--storage <folder>", "for transcripts (default: in the user's state folder)")
    .addOption(
      new Option("--storage-bytes <n>", "of all transcripts")
        .default(String(4 * 2 ** 30), "4294967296, 4 GiB"),
    )
    .optionsGroup("Who may ask:")
    .addOption(listOption("--blacklist.hotkeys <keys...>", "hotkeys that may not"))
    .addOption(listOption("--blacklist.coldkeys <keys...>", "whose hotkeys may not"))
    .option("--blacklist.force_validator_permit", "only validators may", true)
    .option("--no-blacklist.force_validator_permit", "every neuron of the subnet may")
    .option(
      "--blacklist.allow_non_registered",
      "others than the subnet's neurons may, too, if no permit is needed",
      false,
    )
    .option("--blacklist.validator_minimum_tao <tao>", "stake that a neuron needs", "0")
    .addOption(listOption("--whitelist.hotkeys <keys...>", "hotkeys that always may"))
    .option("--whitelist.endpoint <url>", "of a JSON list of more of them, read every 5 minutes")
    .addOption(nsfwOption())
    .optionsGroup("Who may look:")
    .option(
      "--receipts.public",
      "publish the images, prompts and steps of all callers: for a miner that is shown to others",
      false,
    );
  addClusterOptions(command, "--generation_endpoint, or this process, makes the images");
  addConfigOption(addLogOptions(command));
  return command.addHelpText("after", EXAMPLES).action(mine);
}

async function mine(flags: MinerFlags): Promise<void> {
  const log = startLog(logOptions(flags));
  const place = walletPlace(flags);
  // Without a chain nothing is at stake, and a development key will do.
  const wallet = await openWallet(flags.chain ? place : { ...place, network: "devnet" });
  const subnet = flags.chain ? chainOptions(flags) : undefined;
  await using chain = subnet && await SubtensorClient.connect(subnet);
  const externalIp = flags["axon.external_ip"];
  const externalPort = flags["axon.external_port"];
  const joined = clusterOptions(flags);
  await using cluster = joined && await openNatsCluster(joined, log);
  const miner = await startMiner({
    cluster,
    ...neuronOptions("miner", flags, { wallet, subnet, log }),
    chain,
    external: externalIp === undefined ? undefined : {
      ip: checkReach({
        externalIp,
        boundTo: flags["axon.ip"],
        allowPrivate: flags["axon.allow_private"] || !chain || isLocalChain(chain.chainType),
      }),
      port: externalPort === undefined
        ? undefined
        : wholeFlag("--axon.external_port", externalPort, 1, 65535),
    },
    generators: flags.generation_endpoint,
    batch: wholeFlag("--batch", flags.batch, 1, REQUEST_LIMITS.batch),
    maxWork: numberFlag("--max_work", flags.max_work, 0),
    queue: wholeFlag("--queue", flags.queue, 1, 10_000),
    maxTranscriptBytes: wholeFlag("--storage-bytes", flags.storageBytes, 2 ** 20, 2 ** 50),
    access: {
      hotkeys: flags["blacklist.hotkeys"],
      coldkeys: flags["blacklist.coldkeys"],
      forceValidatorPermit: flags["blacklist.force_validator_permit"],
      allowNonRegistered: flags["blacklist.allow_non_registered"],
      validatorMinimumTao: numberFlag(
        "--blacklist.validator_minimum_tao",
        flags["blacklist.validator_minimum_tao"],
        0,
      ),
    },
    whitelist: { hotkeys: flags["whitelist.hotkeys"], endpoint: flags["whitelist.endpoint"] },
    nsfw: flags.nsfw,
    publicReceipts: flags["receipts.public"],
  });
  await runNeuron("mining", miner, log);
}
