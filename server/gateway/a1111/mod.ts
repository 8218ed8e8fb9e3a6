/** AUTOMATIC1111's `/sdapi/v1`, for clients that speak it. */
export type { A1111Parts } from "./calls.ts";
export { a1111Routes } from "./routes.ts";
export type { NamedLora } from "./order.ts";
