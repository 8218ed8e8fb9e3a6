import { onTestFinished } from "vitest";

/** One JSON-RPC message. */
export interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
}

/** What a proxy does with each message. */
export interface ProxyHooks {
  /** Of each new connection. */
  readonly opened?: (drop: () => void) => void;
  /** To the node. @returns what is sent instead; undefined drops it. */
  readonly ask?: (message: Message, drop: () => void) => Message | undefined;
  /**
   * To the client, with the method that was asked.
   * @returns what is sent instead; undefined drops it.
   */
  readonly answer?: (
    message: Message,
    method: string | undefined,
    drop: () => void,
  ) => Message | undefined | Promise<Message | undefined>;
}

/** A proxy between a client and a node that changes messages. @param node for each new connection. */
export function chainProxy(node: string | (() => string), hooks: ProxyHooks): string {
  const sockets = new Set<WebSocket>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    pipe(socket, new WebSocket(typeof node === "string" ? node : node()), hooks);
    sockets.add(socket);
    socket.addEventListener("close", () => sockets.delete(socket));
    return response;
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.close();
    await server.shutdown();
  });
  return `ws://127.0.0.1:${server.addr.port}`;
}

function pipe(client: WebSocket, node: WebSocket, { opened, ask, answer }: ProxyHooks): void {
  const methods = new Map<number, string>();
  const waiting: string[] = [];
  const drop = () => {
    client.close();
    node.close();
  };
  opened?.(drop);
  client.addEventListener("message", ({ data }) => {
    const message: Message = JSON.parse(data);
    if (message.id !== undefined && message.method) methods.set(message.id, message.method);
    const passed = ask ? ask(message, drop) : message;
    if (!passed) return;
    const text = JSON.stringify(passed);
    if (node.readyState === WebSocket.OPEN) node.send(text);
    else waiting.push(text);
  });
  node.addEventListener("open", () => waiting.splice(0).forEach((text) => node.send(text)));
  node.addEventListener("message", async ({ data }) => {
    const message: Message = JSON.parse(data);
    const method = message.id === undefined ? message.method : methods.get(message.id);
    const passed = answer ? await answer(message, method, drop) : message;
    if (passed && client.readyState === WebSocket.OPEN) client.send(JSON.stringify(passed));
  });
  client.addEventListener("close", () => node.close());
  node.addEventListener("close", () => client.close());
}
