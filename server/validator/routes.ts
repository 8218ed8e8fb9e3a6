import type { Hono } from "hono";
import { cors } from "hono/cors";
import {
  attestationSchema,
  decodeScoreCall,
  minerSchemas,
  PATHS,
  validatorSchemas,
} from "../../core/protocol/mod.ts";
import { generationRequestSchema } from "../../core/request/mod.ts";
import { maxCallBytes, readCall, type RequestGuard, type Route, route } from "../http/mod.ts";
import type { Gateway } from "../gateway/mod.ts";
import { neuronRoutes } from "../neuron/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { SITE_FOLDER } from "../web/mod.ts";
import { type AttestationParts, attestationRoutes } from "./attestation_routes.ts";
import { allowOrigins, type GenerateParts, generateRoute } from "./generate_route.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { ValidatorMetrics } from "./metrics.ts";
import { historyRoute } from "./history_route.ts";
import { receiptsOf } from "./provenance.ts";
import type { Scorer } from "./scorer.ts";

/** The part of a validator that users and other validators talk to. */
export interface ForwardingParts extends GenerateParts {
  readonly gateway: Pick<Gateway, "parts" | "routes" | "schemas">;
  readonly scorer: Scorer;
}

export interface ValidatorParts extends AttestationParts {
  readonly guard: RequestGuard;
  readonly metrics: ValidatorMetrics;
  readonly version: string;
  /** The folder of the pages; the one that `deno task build` makes where there is none. */
  readonly site?: string;
  readonly forwarding: ForwardingParts | undefined;
  readonly info: () => unknown;
  readonly ledger: AttestationParts["ledger"] & Pick<Ledger, "receipts" | "images" | "history">;
  readonly log: Log;
  /** What keeps it from its work now; none while it is ready. */
  readonly problems?: () => readonly string[];
}

const OBJECT = { type: "object" };

/** A validator's HTTP API. */
export function validatorRoutes(parts: ValidatorParts): Hono {
  const { guard, forwarding, ledger, metrics, version, log, problems } = parts;
  const { Error } = minerSchemas();
  const failed = (error: unknown) => log("failed", { error: String(error) }, "error");
  return neuronRoutes({
    ...{ site: parts.site ?? SITE_FOLDER, metrics, log, problems },
    server: { kind: "validator", jobs: forwarding !== undefined },
    receipts: {
      summary: "Receipts of synthetic requests, the newest first: anybody may check their steps. " +
        "Of a user's image: with image, the SHA-256 of the file without its metadata, or with looks, " +
        "its perceptual hash",
      list: (limit) => ledger.receipts.list(limit),
      find: (query) => receiptsOf(ledger, query),
    },
    api: {
      ...{ title: "Stepwise validator", version },
      description: "Images of the subnet, checked, and the checks themselves.",
      routes: [
        infoRoute(parts),
        historyRoute(ledger),
        ...attestationRoutes(parts),
        ...(forwarding
          ? [
            generateRoute(guard, forwarding, metrics, failed),
            scoreRoute(guard, forwarding),
            ...forwarding.gateway.routes(allowOrigins(forwarding.origins)),
          ]
          : []),
      ],
      schemas: {
        ...validatorSchemas(),
        ...forwarding?.gateway.schemas,
        ...{ GenerationRequest: generationRequestSchema(), Error, Info: OBJECT, History: OBJECT },
        ...{ Attestation: attestationSchema(), Attestations: OBJECT, Stored: OBJECT },
      },
    },
  });
}

function infoRoute({ info }: ValidatorParts): Route {
  return route({
    ...{ method: "get", path: PATHS.info, auth: "open", answer: "Info", errors: [] },
    summary: "What this validator is, and what it has measured of which miner",
    before: [cors({ origin: "*" })],
    handle: (context) => context.json(info() as Record<string, unknown>),
  });
}

function scoreRoute(guard: RequestGuard, { scorer, allowed }: ForwardingParts): Route {
  return route({
    ...{ method: "post", path: PATHS.score, auth: "signed", body: "ScoreCall", answer: "Score" },
    files: true,
    summary: "Check some steps of an image, drawn here",
    errors: [400, 401, 403, 408, 413],
    handle: async (context) => {
      const { raw } = context.req;
      const { body } = await guard.take(raw, maxCallBytes(raw), allowed);
      const { json, inputs } = readCall(raw, body);
      return context.json(await scorer({ ...decodeScoreCall(json), inputs }));
    },
  });
}
