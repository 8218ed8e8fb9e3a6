import { generationRequestSchema } from "../../core/request/mod.ts";
import { attestationSchema, minerSchemas, validatorSchemas } from "../../core/protocol/mod.ts";
import { openApi, type RouteDoc } from "../http/mod.ts";

const OBJECT = { type: "object" };

const ROUTES: readonly RouteDoc[] = [
  {
    ...{ method: "get", path: "/v1/info", auth: "open", answer: "Info", errors: [] },
    summary: "What this validator is, and what it has measured of whom",
  },
  {
    ...{ method: "get", path: "/v1/receipts", auth: "open", answer: "Receipts", errors: [] },
    query: ["limit"],
    summary: "Receipts of synthetic requests, the newest first: anybody may check their steps",
  },
  {
    ...{ method: "get", path: "/v1/attestations", auth: "open", answer: "Attestations" },
    query: ["receipt", "limit"],
    summary: "What people who checked receipts say of them, or of one",
    errors: [],
  },
  {
    ...{ method: "post", path: "/v1/attestations", auth: "open", body: "Attestation" },
    summary: "A verdict, signed with a key of the subnet",
    answer: "Stored",
    errors: [400, 401, 403, 408, 413, 429],
  },
  {
    ...{ method: "post", path: "/v1/generate", auth: "signed or bearer", body: "ImageCall" },
    summary: "An image of a miner; the bearer is an API key. With Accept: image/* the file alone",
    answer: "ImageForUser",
    preferred: ["image/png", "image/jpeg", "image/webp"],
    errors: [400, 401, 403, 408, 409, 413, 429, 503],
  },
  {
    ...{ method: "post", path: "/v1/score", auth: "signed", body: "ScoreCall", answer: "Score" },
    summary: "Check some steps of an image, drawn here",
    errors: [400, 401, 403, 408, 413],
  },
  {
    ...{ method: "post", path: "/v1/results", auth: "signed", body: "ResultsCall" },
    summary: "What was measured, for this hotkey's other half alone",
    answer: "Results",
    errors: [400, 401, 403, 408, 413],
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

/** A validator's HTTP API as OpenAPI has it. */
export function validatorApi(version: string): unknown {
  const { Error } = minerSchemas();
  const schemas = {
    ...{
      ...validatorSchemas(),
      GenerationRequest: generationRequestSchema(),
      Error,
      Info: OBJECT,
      Receipts: OBJECT,
      Document: OBJECT,
    },
    ...{ Attestation: attestationSchema(), Attestations: OBJECT, Stored: OBJECT },
  };
  const description = "Images of the subnet, checked, and the checks themselves.";
  return openApi({ title: "Stepwise validator", version, description }, schemas, ROUTES);
}
