import type { Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { cors } from "hono/cors";
import { AppError } from "../../core/error.ts";
import {
  decodeRequest,
  type GenerationRequest,
  type RequestDefaults,
} from "../../core/request/mod.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import {
  checkAttestation,
  decodeAttestation,
  decodeImageCall,
  decodeScoreCall,
  type ImageCall,
  type ImageForUser,
} from "../../core/protocol/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { parseJson, RateLimit, readBody, type RequestGuard } from "../http/mod.ts";
import { entriesAsked, neuronRoutes } from "../neuron/mod.ts";
import { SITE_FOLDER } from "../web/mod.ts";
import type { ApiKeys } from "./api_keys.ts";
import type { Forwarded, Forwarder } from "./forwarder.ts";
import type { Ledger } from "./ledger.ts";
import type { ValidatorMetrics } from "./metrics.ts";
import { validatorApi } from "./openapi.ts";
import { addResults } from "./other_half.ts";
import type { Scorer } from "./scorer.ts";
import { watermarkFile } from "./watermark.ts";

/** The part of a validator that users and other validators talk to. */
export interface ForwardingParts {
  readonly forwarder: Pick<Forwarder, "generate">;
  readonly scorer: Scorer;
  readonly keys: ApiKeys;
  /** Throws for hotkeys that may not ask. */
  readonly allowed: (signedBy: string) => void;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Throws for what the model cannot make. */
  readonly fits: (request: GenerationRequest) => void;
  /** A minute, of each caller. */
  readonly requestsPerMinute: number;
}

export interface ValidatorParts {
  readonly guard: RequestGuard;
  readonly metrics: ValidatorMetrics;
  readonly version: string;
  readonly forwarding: ForwardingParts | undefined;
  readonly info: () => unknown;
  readonly ledger: Pick<Ledger, "published" | "attest" | "attestations" | "results">;
  /** Whether a hotkey or coldkey is on the subnet: others attest nothing. */
  readonly registered: (address: string) => boolean;
  readonly log: Log;
}

const MOST_CALL_BYTES = 512 * 1024;
const JSON_TYPE = "application/json";
/** The first is what `image/*` gets. */
const IMAGE_FORMATS: readonly ImageFormat[] = ["png", "jpeg", "webp"];
const MOST_ATTESTATIONS = 10_000;
const MOST_ATTESTATION_BYTES = 32 * 1024;
const ATTESTATIONS_A_MINUTE = 20;
/** Milliseconds since it was signed: long enough to look up where to send it. */
const ATTESTATION_AGE = 3_600_000;
/** Milliseconds that the checker's clock may be ahead of ours. */
const CLOCK_LEAD = 60_000;

/** A validator's HTTP API. */
export function validatorRoutes(parts: ValidatorParts): Hono {
  const { guard, forwarding, info, ledger, metrics, log } = parts;
  const app = neuronRoutes({
    ...{ site: SITE_FOLDER, metrics, document: validatorApi(parts.version) },
    receipts: (limit) => ledger.published(limit),
    failed: (own) => log("failed", { error: String(own) }),
  });
  app.use("/v1/info", cors({ origin: "*" }));
  app.get("/v1/info", (context) => context.json(info() as Record<string, unknown>));
  addAttestations(app, parts);
  addResults(app, guard, ledger);
  if (forwarding) addForwarding(app, guard, forwarding, metrics);
  return app;
}

/** What people who checked receipts in a tab say of them. */
function addAttestations(app: Hono, { ledger, registered }: ValidatorParts): void {
  const limit = new RateLimit("attest", ATTESTATIONS_A_MINUTE, 60_000);
  app.use("/v1/attestations", cors({ origin: "*", allowHeaders: ["content-type"] }));
  app.post("/v1/attestations", async (context) => {
    const body = await readBody(context.req.raw, MOST_ATTESTATION_BYTES);
    const signed = decodeAttestation(parseJson(body));
    const { checker, at } = signed.attestation;
    // What is cheap first; and junk in another's name may not cost him a turn.
    if (!registered(checker)) {
      throw new AppError("not_allowed", `Cannot attest: ${checker} has no key on this subnet`);
    }
    checkTime(at, Date.now());
    checkAttestation(signed);
    limit.take(checker);
    return context.json({ stored: ledger.attest(signed, MOST_ATTESTATIONS) });
  });
  app.get("/v1/attestations", (context) => {
    const { receipt, limit } = context.req.query();
    return context.json({ attestations: ledger.attestations(receipt, entriesAsked(limit)) });
  });
}

/** @throws AppError `request_stale`: what somebody said long ago is not sent again for him. */
function checkTime(at: number, now: number): void {
  if (at >= now - ATTESTATION_AGE && at <= now + CLOCK_LEAD) return;
  const minutes = Math.abs(Math.round((now - at) / 60_000));
  throw new AppError(
    "request_stale",
    `Cannot attest: its time is ${minutes} minutes from ours; sign it anew`,
  );
}

function addForwarding(
  app: Hono,
  guard: RequestGuard,
  parts: ForwardingParts,
  metrics: ValidatorMetrics,
): void {
  const { scorer, keys, allowed, requestsPerMinute } = parts;
  const limit = new RateLimit("generate", requestsPerMinute, 60_000);
  app.post("/v1/generate", async (context) => {
    const { who, body } = await admit(context.req.raw, { keys, guard, allowed });
    const started = performance.now();
    const tell = (outcome: string) =>
      metrics.requested(outcome, (performance.now() - started) / 1000);
    try {
      limit.take(who);
      const answer = await serve(context, decodeImageCall(parseJson(body)), parts);
      tell("served");
      return answer;
    } catch (error) {
      tell(error instanceof AppError ? error.code : "internal");
      throw error;
    }
  });
  app.post("/v1/score", async (context) => {
    const { body } = await guard.take(context.req.raw, MOST_CALL_BYTES, allowed);
    return context.json(await scorer(decodeScoreCall(parseJson(body))));
  });
}

/** With JSON, or with the file alone if the caller prefers an image. */
async function serve(
  context: Context,
  call: ImageCall,
  { forwarder, defaults, fits }: ForwardingParts,
): Promise<Response> {
  const preferred = preferredImage(context);
  const format = call.format ?? preferred ?? "png";
  const request = requestOf(call, defaults);
  // What no miner of this model can make is no miner's failure.
  fits(request);
  const forwarded = await forwarder.generate(request, format, context.req.raw.signal);
  const { image, answer: { id } } = forwarded;
  const file = call.watermark ? await watermarkFile(image, format, request) : image;
  if (!preferred) return context.json(answerOf(forwarded, file, format, call.watermark));
  return context.body(file, 200, { "content-type": `image/${format}`, "stepwise-receipt": id });
}

/** @returns undefined for who prefers JSON, or does not say. */
function preferredImage(context: Context): ImageFormat | undefined {
  const supports = [JSON_TYPE, ...IMAGE_FORMATS.map((format) => `image/${format}`)];
  const type = accepts(context, { header: "Accept", supports, default: JSON_TYPE });
  return IMAGE_FORMATS.find((format) => type === `image/${format}`);
}

/** By API key, or by an allowed hotkey's signature. */
async function admit(
  request: Request,
  { keys, guard, allowed }: Pick<ForwardingParts, "keys" | "allowed"> & { guard: RequestGuard },
): Promise<{ readonly who: string; readonly body: Uint8Array }> {
  const authorization = request.headers.get("authorization");
  if (authorization === null) {
    if (!request.headers.has("epistula-version")) {
      throw new AppError(
        "request_unsigned",
        "Cannot generate: there is no API key (authorization: Bearer ...), nor a signature",
      );
    }
    const { signedBy, body } = await guard.take(request, MOST_CALL_BYTES, allowed);
    return { who: signedBy, body };
  }
  const who = keys.find(authorization);
  if (who === undefined) {
    throw new AppError(
      "not_allowed",
      "Cannot generate: the API key is not one of this validator's",
    );
  }
  return { who, body: await readBody(request, MOST_CALL_BYTES) };
}

/** One image, of a seed that the asker or chance chose. */
function requestOf(
  { request }: ImageCall,
  defaults: ForwardingParts["defaults"],
): GenerationRequest {
  const seed = crypto.getRandomValues(new BigUint64Array(1))[0] >> 8n;
  const decoded = decodeRequest(request, { ...defaults, seed });
  if (decoded.batch === 1) return decoded;
  throw new AppError(
    "invalid_request",
    `Cannot generate: batch is ${decoded.batch}, and a request is for one image`,
  );
}

function answerOf(
  { peer, answer, verdict }: Forwarded,
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  watermarked: boolean,
): ImageForUser {
  return {
    id: answer.id,
    receipt: answer.receipt,
    image: file.toBase64(),
    mediaType: `image/${format}`,
    watermarked,
    miner: peer,
    token: answer.token,
    verdict: verdict ?? null,
    notices: [],
  };
}
