import { AppError } from "../../../core/error.ts";
import { type HttpServer, serve, upgradeToWebSocket } from "../../runtime/mod.ts";
import { Chain } from "./chain.ts";
import { DEVNET_HYPERPARAMETERS, type Genesis, type Hyperparameters } from "./genesis.ts";
import { answer, endsSubscription, errorOf, isSubscription, subscribe } from "./rpc.ts";
import { cryptoWaitReady } from "./signature.ts";

export interface DevnetOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly hostname?: string;
  /** Milliseconds from block to block. */
  readonly blockMs: number;
  /** An SQLite file that a restart continues; without one the chain is in memory. */
  readonly path?: string;
  readonly netuid?: number;
  readonly hyperparameters?: Partial<Hyperparameters>;
  readonly funds?: Genesis["funds"];
  readonly neurons?: Genesis["neurons"];
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** A chain that runs. */
export interface Devnet extends AsyncDisposable {
  /** ws://... */
  readonly endpoint: string;
  readonly chain: Chain;
}

/** drand's quicknet, whose rounds the devnet's beacon counts like. */
const BEACON_GENESIS = 1_692_803_367;
/** A block's largest transaction is far below. */
const MAX_BYTES = 5 * 1024 * 1024;

/**
 * Starts a devnet and serves it over WebSocket and HTTP.
 * @throws AppError `address_in_use`, `storage_failed`.
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  await cryptoWaitReady();
  const { port, hostname = "127.0.0.1", blockMs, path = ":memory:", clock = Date.now } = options;
  const chain = new Chain(path, blockMs, genesisOf(options), clock);
  const sockets = new Set<WebSocket>();
  let server: HttpServer;
  try {
    server = serve(
      { port, hostname },
      (request) =>
        request.headers.get("upgrade")?.toLowerCase() === "websocket"
          ? socketResponse(chain, request, sockets)
          : httpResponse(chain, request),
    );
  } catch (cause) {
    chain[Symbol.dispose]();
    throw new AppError(
      "address_in_use",
      `Cannot start the devnet: port ${port} of ${hostname} is taken; --port chooses another`,
      { cause },
    );
  }
  const timer = setInterval(() => chain.author(), blockMs);
  const stop = async () => {
    clearInterval(timer);
    for (const socket of sockets) socket.close();
    await server.shutdown();
    chain[Symbol.dispose]();
  };
  let stopped: Promise<void> | undefined;
  return {
    endpoint: `ws://${hostname}:${server.addr.port}`,
    chain,
    [Symbol.asyncDispose]: () => stopped ??= stop(),
  };
}

function genesisOf({ netuid = 1, hyperparameters, funds, neurons }: DevnetOptions): Genesis {
  return {
    netuid,
    hyperparameters: { ...DEVNET_HYPERPARAMETERS, ...hyperparameters },
    funds: funds ?? {},
    neurons: neurons ?? [],
    beaconGenesis: BEACON_GENESIS,
  };
}

interface Call {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

function socketResponse(chain: Chain, request: Request, sockets: Set<WebSocket>): Response {
  const { socket, response } = upgradeToWebSocket(request);
  const subscriptions = new Map<string, () => void>();
  socket.onopen = () => sockets.add(socket);
  socket.onclose = () => {
    sockets.delete(socket);
    for (const end of subscriptions.values()) end();
  };
  socket.onerror = () => {};
  socket.onmessage = ({ data }) => {
    const send = (message: unknown) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    };
    const calls = parse(String(data));
    if (Array.isArray(calls)) send(calls.map((call) => reply(chain, call)));
    else if (calls && isSubscription(String(calls.method))) {
      begin(chain, calls, subscriptions, send);
    } else if (calls && endsSubscription(String(calls.method))) {
      send(end(calls, subscriptions));
    } else send(reply(chain, calls));
  };
  return response;
}

/** Events that occur before the subscription's id was sent are sent after it. */
function begin(
  chain: Chain,
  { id, method, params }: Call,
  subscriptions: Map<string, () => void>,
  send: (message: unknown) => void,
): void {
  const subscription = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  const early: unknown[] = [];
  let answered = false;
  const push = (name: string, result: unknown) => {
    const message = { jsonrpc: "2.0", method: name, params: { subscription, result } };
    if (answered) send(message);
    else early.push(message);
  };
  try {
    subscriptions.set(subscription, subscribe(chain, String(method), listOf(params), push));
  } catch (error) {
    return send({ jsonrpc: "2.0", id, error: errorOf(error) });
  }
  send({ jsonrpc: "2.0", id, result: subscription });
  answered = true;
  for (const message of early) send(message);
}

function end({ id, params }: Call, subscriptions: Map<string, () => void>): unknown {
  const [subscription] = listOf(params);
  const stop = subscriptions.get(String(subscription));
  stop?.();
  return { jsonrpc: "2.0", id, result: subscriptions.delete(String(subscription)) };
}

async function httpResponse(chain: Chain, request: Request): Promise<Response> {
  if (request.method !== "POST") {
    return new Response("Stepwise devnet: JSON-RPC over WebSocket or POST\n");
  }
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) {
    return new Response("too large", { status: 413 });
  }
  const calls = parse(await request.text());
  return Response.json(
    Array.isArray(calls) ? calls.map((call) => reply(chain, call)) : reply(chain, calls),
  );
}

function parse(text: string): Call | Call[] | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reply(chain: Chain, call: Call | undefined): unknown {
  if (typeof call?.method !== "string") {
    return { jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } };
  }
  try {
    return { jsonrpc: "2.0", id: call.id, result: answer(chain, call.method, listOf(call.params)) };
  } catch (error) {
    return { jsonrpc: "2.0", id: call.id, error: errorOf(error) };
  }
}

function listOf(params: unknown): unknown[] {
  return Array.isArray(params) ? params : [];
}
