import { readFileSync } from "node:fs";
import {
  connect,
  type NatsConnection,
  nkeyAuthenticator,
  type NodeConnectionOptions,
  type TlsOptions,
} from "@nats-io/transport-node";
import {
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from "@nats-io/jetstream";
import { AppError, reason } from "../../core/error.ts";
import type { Log } from "../telemetry/mod.ts";
import { keepListening } from "./nats_sockets.ts";
import { persist } from "./nats_writes.ts";

keepListening();

/** Where the cluster is, and as whom it is entered. */
export interface NatsOptions {
  /**
   * `nats://host:4222`, or `tls://` with a name that the certificate has; a user and password may
   * stand before the host.
   */
  readonly servers: readonly string[];
  /** Begins all names, so that several subnets can share a server. */
  readonly prefix: string;
  readonly user?: string;
  readonly password?: string;
  /** A file with the seed of an NKEY, which begins with SU. */
  readonly nkeyFile?: string;
  /** PEM files; without an authority the system's are trusted. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Copies of what is kept: 1, 3 or 5; default: 3 where servers form a cluster, else 1. */
  readonly replicas?: number;
}

/** A connection that comes back by itself, and what hangs on it. */
export interface NatsLink {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly prefix: string;
  readonly replicas: number;
  readonly log: Log;
}

/** Milliseconds that a server has to answer the first call. */
const CONNECT_MS = 10_000;
const RECONNECT_MS = 250;

/** @throws AppError `cluster_unavailable` naming the servers and what is wrong. */
export async function openLink(options: NatsOptions, log: Log): Promise<NatsLink> {
  const connection = await connected(options);
  void logChanges(connection, log);
  // Servers that have just started choose their leader first.
  const manager = await persist("enter the cluster", () => jetstreamManager(connection))
    .catch(async ({ cause }) => {
      await connection.close();
      throw unavailable(options, `${reason(cause)}; JetStream has to be on there`, cause);
    });
  const { prefix, replicas = connection.info?.cluster ? 3 : 1 } = options;
  return { connection, client: jetstream(connection), manager, prefix, replicas, log };
}

async function connected(options: NatsOptions): Promise<NatsConnection> {
  const settings = connectionOptions(options);
  try {
    return await connect(settings);
  } catch (cause) {
    throw unavailable(options, reason(cause), cause);
  }
}

function connectionOptions(options: NatsOptions): NodeConnectionOptions {
  const { servers, nkeyFile, tls, prefix } = options;
  const urls = servers.map((server) => serverUrl(server));
  const [{ username, password }] = urls;
  const user = options.user ?? (username === "" ? undefined : decodeURIComponent(username));
  return {
    servers: urls.map(({ host }) => host),
    name: prefix,
    ...{ maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_MS, timeout: CONNECT_MS },
    ...(user !== undefined && { user, pass: options.password ?? decodeURIComponent(password) }),
    ...(nkeyFile !== undefined && { authenticator: nkeyAuthenticator(seedIn(nkeyFile)) }),
    ...((tls || urls.some(({ protocol }) => protocol === "tls:")) && { tls: tlsOf(tls) }),
  };
}

/** @throws AppError `invalid_request` naming the flag. */
function serverUrl(server: string): URL {
  const url = URL.parse(server);
  if (url && /^(nats|tls):$/.test(url.protocol) && url.host !== "") return url;
  throw new AppError(
    "invalid_request",
    `Cannot start: --cluster is ${server}, not nats://host:port or tls://host:port`,
  );
}

function tlsOf({ ca, cert, key }: NatsOptions["tls"] = {}): TlsOptions {
  return {
    ...(ca !== undefined && { caFile: ca }),
    ...(cert !== undefined && { certFile: cert }),
    ...(key !== undefined && { keyFile: key }),
  };
}

function seedIn(file: string): Uint8Array {
  try {
    return new TextEncoder().encode(readFileSync(file, "utf8").trim());
  } catch (cause) {
    const message = `Cannot read the NKEY of --cluster.nkey in ${file}: ${reason(cause)}`;
    throw new AppError("invalid_request", message, { cause });
  }
}

/** @param why without passwords, which an address may have. */
function unavailable({ servers }: NatsOptions, why: string, cause: unknown): AppError {
  const shown = servers.map((server) => server.replace(/\/\/[^@/]*@/, "//")).join(", ");
  return new AppError("cluster_unavailable", `Cannot use the cluster at ${shown}: ${why}`, {
    cause,
  });
}

async function logChanges(connection: NatsConnection, log: Log): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect") log("cluster_lost", { server: status.server }, "warn");
    if (status.type === "reconnect") log("cluster_back", { server: status.server });
    if (status.type === "error") log("cluster_error", { why: reason(status.error) }, "warn");
  }
}
