/**
 * What every HTTP server here is built of: a table of routes that is served and documented as one,
 * signed requests that are taken once, bounded bodies, rate limits, event streams, and errors as JSON.
 * It knows nothing of images or chains.
 *
 * ```ts
 * import { Hono } from "hono";
 * import { mount, openApi, route } from "./mod.ts";
 *
 * const routes = [route({
 *   method: "get",
 *   path: "/v1/double/:n",
 *   auth: "open",
 *   summary: "Twice a number",
 *   answer: "Doubled",
 *   errors: [],
 *   handle: (context) => context.json({ doubled: 2 * Number(context.req.param("n")) }),
 * })];
 * const app = new Hono();
 * mount(app, routes);
 * console.log(await (await app.request("/v1/double/21")).json()); // { doubled: 42 }
 *
 * const info = { title: "Doubler", version: "1", description: "Doubles." };
 * console.log(openApi(info, { Doubled: { type: "object" } }, routes));
 * ```
 */
export { readBody } from "./bounded_body.ts";
export { errorResponse, RetryLater } from "./error_response.ts";
export { Held } from "./held.ts";
export { type EventLimits, type ReadEvent, readEvents } from "./event_reader.ts";
export { type Emit, EVENT_STREAM, eventStream } from "./event_stream.ts";
export { listen } from "./listen.ts";
export { LoopLag } from "./loop_lag.ts";
export { readMultipart } from "./multipart.ts";
export { openApi } from "./openapi.ts";
export { parseJson } from "./parse_json.ts";
export { preferredType } from "./preferred_type.ts";
export { RateLimit } from "./rate_limit.ts";
export { maxCallBytes, type ReadCall, readCall } from "./read_call.ts";
export { ReplayWindow } from "./replay_window.ts";
export { mount, type Route, route } from "./route.ts";
export { RequestGuard, type SignedRequest, type UsedRequests } from "./request_guard.ts";
export { sourceAddress } from "./source_address.ts";
