/** The gateway over HTTP. */
export { jobJson, jobSchemas } from "./job_json.ts";
export { jobCallSchema, MAX_IMAGES, readCallBody } from "./job_call.ts";
export { jobsRoutes } from "./jobs_routes.ts";
export { usageRoute, usageSchema } from "./usage_route.ts";
export { Links } from "./links.ts";
export { Bodies } from "./bodies.ts";
export { endOf, goesOn } from "./end_of.ts";
export { onceOf } from "./once.ts";
export {
  type CallOrder,
  checkOrder,
  type GatewayModel,
  type GatewayParts,
  takeOrder,
} from "./take_order.ts";
