/** A server that takes requests. */
export interface HttpServer {
  /** Where it listens: the port that was taken where 0 was asked for. */
  readonly addr: { readonly port: number };
  /** Takes no more requests, and resolves when those that it took are answered. */
  shutdown(): Promise<void>;
}

/**
 * Serves HTTP.
 * @param port 0 takes a free one.
 * @throws the runtime's error when the address cannot be taken.
 */
export function serve(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
): HttpServer {
  return Deno.serve({ hostname, port, onListen: () => {} }, handler);
}

/**
 * Turns a request into a WebSocket.
 * @param silence seconds without an answer to a ping after which it is closed; 0 never pings.
 * @returns the socket, and what the handler has to answer.
 */
export function upgradeToWebSocket(
  request: Request,
  silence?: number,
): { readonly socket: WebSocket; readonly response: Response } {
  return Deno.upgradeWebSocket(request, { idleTimeout: silence });
}
