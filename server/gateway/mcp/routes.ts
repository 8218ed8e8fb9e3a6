import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { Context, MiddlewareHandler } from "hono";
import { AppError } from "../../../core/error.ts";
import { errorFacts } from "../../../core/error_codes.ts";
import { parseJson, type Route, route } from "../../http/mod.ts";
import { readCallBody } from "../routes/mod.ts";
import { type McpParts, mcpServer } from "./server.ts";

const PATH = "/mcp";
/** JSON-RPC's codes, and one of ours within its range for servers. */
const [PARSE_ERROR, INTERNAL, REFUSED] = [-32700, -32603, -32000];

/**
 * The Model Context Protocol by streamable HTTP, without sessions: each call stands for itself.
 * @see https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
 */
export function mcpRoutes(parts: McpParts, before: readonly MiddlewareHandler[] = []): Route[] {
  const common = { path: PATH, auth: "bearer" as const, answer: "Mcp", before };
  return [
    route({
      ...{ ...common, method: "post", body: "Mcp", errors: [400, 401, 403, 408, 413] },
      preferred: ["text/event-stream"],
      summary: "The Model Context Protocol for agents: generate_image, edit_image, verify_image, " +
        "list_models",
      handle: async (context) => {
        try {
          return await answer(context, parts);
        } catch (error) {
          return refusal(error, parts.failed);
        }
      },
    }),
    ...(["get", "delete"] as const).map((method) =>
      route({
        ...{ ...common, method, errors: [405], summary: "There are no sessions: POST alone" },
        handle: () => rpcError(405, REFUSED, "Method not allowed.", { allow: "POST" }),
      })
    ),
  ];
}

async function answer(context: Context, parts: McpParts): Promise<Response> {
  const { raw } = context.req;
  const owner = parts.gateway.keys.admit(raw.headers.get("authorization"));
  using room = new DisposableStack();
  room.use(parts.gateway.bodies.take(owner.id, raw.headers.get("content-length")));
  const parsedBody = parseJson(await readCallBody(raw));
  const server = mcpServer(parts, owner);
  const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await server.connect(transport);
  raw.signal.addEventListener("abort", () => void server.close(), { once: true });
  const { url, method, headers } = raw;
  const answered = await transport.handleRequest(
    new Request(url, { method, headers }),
    { parsedBody },
  );
  return untilSent(answered, room.move());
}

/** Events are answered at once, and what was asked for stays in memory until their end. */
function untilSent(response: Response, room: Disposable): Response {
  const release = () => room[Symbol.dispose]();
  if (!response.body) return release(), response;
  const { readable, writable } = new TransformStream();
  void response.body.pipeTo(writable).then(release, release);
  return new Response(readable, response);
}

function refusal(error: unknown, failed: (error: unknown) => void): Response {
  if (!(error instanceof AppError) || errorFacts(error.code).status === 500) {
    failed(error);
    return rpcError(500, INTERNAL, "Cannot answer: something is wrong here");
  }
  const { status } = errorFacts(error.code);
  const code = error.code === "json_invalid" ? PARSE_ERROR : REFUSED;
  const headers = status === 401 || status === 403 ? { "www-authenticate": "Bearer" } : undefined;
  // By HTTP's words a key that is not taken is no key.
  return rpcError(error.code === "not_allowed" ? 401 : status, code, error.message, headers);
}

function rpcError(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}
