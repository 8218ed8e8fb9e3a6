import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { AppError } from "../../core/error.ts";
import { OpenAnswers } from "./open_answers.ts";
import { inSlices } from "./sliced_body.ts";
import { isLoopback, noteSource } from "./source_address.ts";

/** A server that strangers reach. */
export interface PublicServer {
  /** Where it listens: the port that was taken where 0 was asked for. */
  readonly addr: { readonly port: number };
  /** Takes no more requests; resolves when those that it took are answered, or nobody takes the answer. */
  shutdown(): Promise<void>;
}

/** What one client, or all of them, may take of a server. */
export interface ServerLimits {
  /** Milliseconds for a request's head, and for all of it. */
  readonly headMs: number;
  readonly requestMs: number;
  /** Milliseconds without a request after which a connection is closed. */
  readonly idleMs: number;
  /** Milliseconds after which an answer is given up of which nothing was taken; and at the end. */
  readonly stalledMs: number;
  readonly lastStalledMs: number;
  /** Open at once: in all, and of one address that is not this machine's. */
  readonly connections: number;
  readonly connectionsOfOne: number;
}

const LIMITS: ServerLimits = {
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 30_000,
  stalledMs: 30_000,
  lastStalledMs: 5000,
  connections: 4096,
  connectionsOfOne: 1024,
};
/** Milliseconds from looking for late requests to looking again. */
const CHECK_MS = 1000;

/**
 * Serves HTTP to strangers, on `node:http`: it has deadlines for heads, and bounds on connections.
 * @throws AppError `address_in_use`.
 */
export async function listen(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
  given: Partial<ServerLimits> = {},
): Promise<PublicServer> {
  const limits = { ...LIMITS, ...given };
  const answers = new OpenAnswers(limits.stalledMs);
  const answer = getRequestListener(async (request, { incoming }) => {
    noteSource(request, incoming.socket.remoteAddress, incoming.headers["x-forwarded-for"]);
    return inSlices(await handler(request));
  }, { overrideGlobalObjects: false });
  const server = createServer({
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headMs),
  }, (incoming, outgoing) => {
    answers.follow(outgoing);
    void answer(incoming, outgoing);
  });
  boundConnections(server, limits);
  try {
    server.listen(port, hostname);
    await once(server, "listening");
  } catch (cause) {
    answers[Symbol.dispose]();
    throw new AppError(
      "address_in_use",
      `Cannot serve: port ${port} of ${hostname} is taken or not allowed; --axon.port gives another`,
      { cause },
    );
  }
  return {
    addr: { port: (server.address() as AddressInfo).port },
    shutdown: async () => {
      server.close();
      server.closeIdleConnections();
      await answers.end(limits.lastStalledMs);
      answers[Symbol.dispose]();
      server.closeAllConnections();
    },
  };
}

/** Those of this machine count in all alone: a reverse proxy there asks for many. */
function boundConnections(
  server: Server,
  { connections, connectionsOfOne }: Pick<ServerLimits, "connections" | "connectionsOfOne">,
): void {
  const open = new Map<string, number>();
  let all = 0;
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const ofOne = open.get(address) ?? 0;
    if (all >= connections || (ofOne >= connectionsOfOne && !isLoopback(address))) {
      return socket.destroy();
    }
    all++;
    open.set(address, ofOne + 1);
    socket.on("close", () => {
      all--;
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
