import type { Context } from "hono";
import { cors } from "hono/cors";
import { counted } from "../../core/counted.ts";
import { AppError } from "../../core/error.ts";
import { checkAttestation, decodeAttestation, PATHS } from "../../core/protocol/mod.ts";
import { MAX_CLOCK_SKEW_MS } from "../../core/transcript/mod.ts";
import { parseJson, RateLimit, readBody, type Route, route } from "../http/mod.ts";
import { entriesOf } from "../neuron/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import type { Ledger } from "./ledger/mod.ts";

/** What the attestations' routes need of their validator. */
export interface AttestationParts {
  readonly ledger: Pick<Ledger, "attestations" | "doubts">;
  /** Whether a hotkey or coldkey is on the subnet: others attest nothing. */
  readonly registered: (address: string) => boolean;
  readonly log: Log;
}

const MAX_ATTESTATIONS = 10_000;
const MAX_ATTESTATION_BYTES = 32 * 1024;
const ATTESTATIONS_PER_MINUTE = 20;
/** Milliseconds since it was signed: long enough to look up where to send it. */
const MAX_ATTESTATION_AGE = 3_600_000;

/** Attestations of people who checked receipts in a tab. */
export function attestationRoutes(parts: AttestationParts): Route[] {
  const limit = new RateLimit("attest", ATTESTATIONS_PER_MINUTE, 60_000);
  return [
    route({
      ...{ method: "get", path: PATHS.attestations, auth: "open", answer: "Attestations" },
      summary: "Attestations of people who checked receipts, or one receipt",
      ...{ query: ["receipt", "limit"], errors: [] },
      before: [cors({ origin: "*", allowHeaders: ["content-type"] })],
      handle: (context) => {
        const { receipt, limit } = context.req.query();
        const attestations = parts.ledger.attestations.list(receipt, entriesOf(limit));
        return context.json({ attestations });
      },
    }),
    route({
      ...{ method: "post", path: PATHS.attestations, auth: "open", body: "Attestation" },
      summary: "A verdict, signed with a key of the subnet",
      answer: "Stored",
      errors: [400, 401, 403, 408, 413, 429],
      handle: (context) => store(context, parts, limit),
    }),
  ];
}

async function store(
  context: Context,
  { ledger, registered, log }: AttestationParts,
  limit: RateLimit,
): Promise<Response> {
  const body = await readBody(context.req.raw, MAX_ATTESTATION_BYTES);
  const signed = decodeAttestation(parseJson(body));
  const { checker, at } = signed.attestation;
  // Cheap checks first; and junk in another's name must not use up their rate.
  if (!registered(checker)) {
    throw new AppError("not_allowed", `Cannot attest: ${checker} has no key on this subnet`);
  }
  checkTime(at, Date.now());
  checkAttestation(signed);
  limit.take(checker);
  const stored = ledger.attestations.add(signed, MAX_ATTESTATIONS);
  const { verdict, receipt } = signed.attestation;
  if (stored && verdict !== "honest") {
    // A word and no proof: it costs the miner a check, and what that finds is what counts.
    const hotkey = ledger.doubts.raise(receipt);
    if (hotkey !== undefined) log("doubted", { hotkey, receipt, verdict, checker });
  }
  return context.json({ stored });
}

/** @throws AppError `request_stale`: an old verdict must not be sent again by others. */
function checkTime(at: number, now: number): void {
  if (at >= now - MAX_ATTESTATION_AGE && at <= now + MAX_CLOCK_SKEW_MS) return;
  const minutes = Math.abs(Math.round((now - at) / 60_000));
  throw new AppError(
    "request_stale",
    `Cannot attest: its time is ${counted(minutes, "minute")} from ours; sign it again`,
  );
}
