import { z } from "zod";
import { decodeAttestation, type Score, scoreSchema } from "../../../core/protocol/mod.ts";
import { brief } from "./brief.ts";

/** Milliseconds since 1970. */
const at = z.number();
const of = { id: z.string().max(64), hotkey: z.string().max(64), at };
/** How many of its kind are kept. */
const keep = z.int().min(1);

const measured = z.discriminatedUnion("kind", [
  z.object({
    ...{ kind: z.literal("answer"), ...of },
    outcome: z.enum(["served", "failed", "refused"]),
    ...{ work: z.number(), why: z.string().nullable() },
  }),
  z.object({
    ...{ kind: z.literal("check"), ...of },
    ...{ source: z.enum(["user", "synthetic"]), score: scoreSchema },
  }),
  z.object({
    ...{ kind: z.literal("test"), ...of },
    ...{ requestsPerSecond: z.number(), errorRate: z.number() },
    ...{ requests: z.number(), carried: z.number() },
  }),
  z.object({
    ...{ kind: z.literal("weights"), at, block: z.int() },
    ...{ uids: z.array(z.int()).readonly(), weights: z.array(z.int()).readonly() },
  }),
  z.object({
    ...{ kind: z.literal("attestation"), at, keep, signed: z.unknown() },
    ...{ receipt: z.string().max(64), checker: z.string().max(64) },
  }),
  z.object({ kind: z.literal("doubt"), at, hotkey: z.string().max(64) }),
  z.object({ kind: z.literal("receipt"), at, keep, id: z.string().max(64), entry: z.unknown() }),
  z.object({
    ...{ kind: z.literal("image"), at, keep, sha256: z.string().length(64) },
    ...{ looks: z.string(), entry: z.unknown() },
  }),
]);

/** What one process of a validator measured, for all others: a row of the ledger. */
export type Measured = Readonly<z.infer<typeof measured>>;

export type MeasuredOf<Kind extends Measured["kind"]> = Extract<Measured, { kind: Kind }>;
type Unkept<Kind extends Measured["kind"]> = Readonly<Omit<MeasuredOf<Kind>, "kind" | "at">>;

/** @throws ZodError, AppError for what is none, or of a kind that a later version has. */
export function decodeMeasured(json: unknown): Measured {
  const read = measured.parse(json);
  if (read.kind === "attestation") decodeAttestation(read.signed);
  return read;
}

/** By which it is kept once, however often it is sent. */
export function measuredId(of: Measured): string {
  switch (of.kind) {
    case "answer":
    case "check":
      return `${of.kind}_${of.id}_${of.hotkey}`;
    case "test":
    case "receipt":
      return `${of.kind}_${of.id}`;
    case "weights":
      return `${of.kind}_${of.block}_${of.at}`;
    case "attestation":
      return `${of.kind}_${of.receipt}_${of.checker}_${of.at}`;
    case "doubt":
      return `${of.kind}_${of.hotkey}_${of.at}`;
    case "image":
      return `${of.kind}_${of.sha256}`;
  }
}

/** What is kept of how a user's request ended. */
export function measuredAnswer(
  { why, ...result }: Unkept<"answer">,
  at: number,
): MeasuredOf<"answer"> {
  return { kind: "answer", ...result, why: why && brief(why), at };
}

/** What is kept of a check: one of its reasons. */
export function measuredCheck(
  { score, ...checked }: Unkept<"check">,
  at: number,
): MeasuredOf<"check"> {
  const reasons = score.reasons.slice(0, 1).map(brief);
  return { kind: "check", ...checked, score: { ...score, reasons }, at };
}

/** Of a check that failed. */
export function whyOf({ reasons, verdict }: Score): string {
  return reasons[0] ?? verdict;
}
