import { generationRequestSchema } from "../../core/request/mod.ts";
import { minerSchemas } from "../../core/protocol/mod.ts";
import { openApi, type RouteDoc } from "../http/mod.ts";

const OBJECT = { type: "object" };
const OPENING_ERRORS = [400, 401, 403, 404, 429] as const;

const ROUTES: readonly RouteDoc[] = [
  {
    ...{ method: "get", path: "/v1/info", auth: "open", answer: "MinerInfo", errors: [] },
    summary: "What this miner is, has and can",
  },
  {
    ...{ method: "post", path: "/v1/generations", auth: "signed", body: "GenerationCall" },
    summary: "Make images; with Accept: text/event-stream progress comes as events queued, " +
      "progress, done and error",
    answer: "GenerationAnswer",
    preferred: ["text/event-stream"],
    errors: [400, 401, 403, 408, 409, 413, 429, 503],
  },
  {
    ...{ method: "delete", path: "/v1/generations/{id}", auth: "signed", answer: "Deleted" },
    summary: "Cancel a job by its id, or forget an image by its receipt's",
    errors: [401, 403, 404],
  },
  {
    ...{ method: "get", path: "/v1/generations/{id}", auth: "signed or bearer", answer: "Receipt" },
    summary: "A receipt; the bearer is its opening token",
    query: ["token"],
    errors: OPENING_ERRORS,
  },
  {
    ...{ method: "get", path: "/v1/generations/{id}/image", auth: "signed or bearer" },
    summary: "The image's file",
    answer: ["image/png", "image/jpeg", "image/webp"],
    query: ["token"],
    errors: OPENING_ERRORS,
  },
  {
    ...{ method: "get", path: "/v1/generations/{id}/steps/{step}", auth: "signed or bearer" },
    summary: "The opening of a step, or of start or end: safetensors with its proof",
    answer: ["application/octet-stream"],
    query: ["token"],
    errors: OPENING_ERRORS,
  },
  {
    ...{ method: "get", path: "/v1/receipts", auth: "open", answer: "Receipts", errors: [] },
    query: ["limit"],
    summary: "Receipts with their tokens, the newest first; none unless --receipts.public",
  },
  {
    ...{ method: "get", path: "/metrics", auth: "open", answer: ["text/plain"], errors: [] },
    summary: "For Prometheus",
  },
  {
    ...{ method: "get", path: "/openapi.json", auth: "open", answer: "Document", errors: [] },
    summary: "This document",
  },
];

/** The miner's HTTP API as OpenAPI has it. */
export function minerApi(version: string): unknown {
  const schemas = {
    ...minerSchemas(),
    GenerationRequest: generationRequestSchema(),
    Deleted: OBJECT,
    Receipt: OBJECT,
    Receipts: OBJECT,
    Document: OBJECT,
  };
  const description = "Images whose every diffusion step can be opened and checked.";
  return openApi({ title: "Stepwise miner", version, description }, schemas, ROUTES);
}
