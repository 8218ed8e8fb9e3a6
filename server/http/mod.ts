export { readBody } from "./bounded_body.ts";
export { errorResponse, RetryLater } from "./error_response.ts";
export { listen } from "./listen.ts";
export { openApi, type RouteDoc } from "./openapi.ts";
export { parseJson } from "./parse_json.ts";
export { RateLimit } from "./rate_limit.ts";
export { ReplayWindow } from "./replay_window.ts";
export { RequestGuard, type SignedRequest } from "./request_guard.ts";
