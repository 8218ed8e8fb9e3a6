import { type Command, Option } from "commander";
import { AppError } from "../../core/error.ts";
import type { NatsOptions } from "./nats_link.ts";

export interface ClusterFlags {
  readonly cluster: readonly string[];
  readonly "cluster.prefix": string;
  readonly "cluster.user"?: string;
  readonly "cluster.password"?: string;
  readonly "cluster.nkey"?: string;
  readonly "cluster.ca"?: string;
  readonly "cluster.cert"?: string;
  readonly "cluster.key"?: string;
}

/** @param without what a command does without a cluster. */
export function addClusterOptions(command: Command, without: string): Command {
  return command.optionsGroup("Cluster:")
    .addOption(
      new Option(
        "--cluster <servers...>",
        "NATS servers with JetStream: nats://host:4222 or tls://host:4222",
      ).default([], without),
    )
    .option(
      "--cluster.prefix <name>",
      "begins all names there, so that several subnets can share it",
      "stepwise",
    )
    .option("--cluster.user <name>", "as whom it is entered")
    .option("--cluster.password <text>", "better as STEPWISE_CLUSTER_PASSWORD")
    .option("--cluster.nkey <file>", "the seed of an NKEY, in place of user and password")
    .option("--cluster.ca <file>", "PEM of the authority that the servers' certificates are from")
    .option("--cluster.cert <file>", "PEM of this machine's certificate, where servers ask for one")
    .option("--cluster.key <file>", "PEM of that certificate's key");
}

/** @throws AppError `invalid_request` where a flag lacks its other. @returns undefined without --cluster. */
export function clusterOptions(flags: ClusterFlags): NatsOptions | undefined {
  const servers = flags.cluster.flatMap((list) => list.split(",")).filter((each) => each !== "");
  if (servers.length === 0) return undefined;
  const { "cluster.cert": cert, "cluster.key": key, "cluster.ca": ca } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    throw new AppError(
      "invalid_request",
      "Cannot start: --cluster.cert and --cluster.key are one without the other; name both or none",
    );
  }
  return {
    ...{ servers, prefix: flags["cluster.prefix"] },
    ...{ user: flags["cluster.user"], password: flags["cluster.password"] },
    nkeyFile: flags["cluster.nkey"],
    tls: [ca, cert].every((file) => file === undefined) ? undefined : { ca, cert, key },
  };
}
