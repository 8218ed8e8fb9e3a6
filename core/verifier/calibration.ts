import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { AppError } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";
import { decodeSs58, type Hotkey, isSs58, verifySr25519 } from "../keys/mod.ts";
import { toleranceSchema } from "../model/mod.ts";
import type { Backend } from "../inference/mod.ts";
import { canonicalJson, type Receipt } from "../transcript/mod.ts";
import { fitHonestTail, type HonestTail } from "./drift.ts";

const share = z.number().min(0).max(1e6);

const recordSchema = z.strictObject({
  version: z.literal(1),
  /** `manifestHash` of the model's files. */
  manifest: z.string().regex(/^[0-9a-f]{64}$/, "not SHA-256 in lower-case hex"),
  /** What made the images, in short (`native`), and as it names itself. */
  backend: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  device: z.string().min(1).max(300),
  /** The backends that they were checked on. */
  checkers: z.array(z.string().max(64)).min(1).max(64),
  /** What errors are divided by; its precision is that of the less exact side. */
  tolerance: toleranceSchema,
  images: z.int().min(2),
  /** Steps that were measured. */
  steps: z.int().min(6),
  /** Of velocity error over tolerance. */
  quantiles: z.strictObject({ p5: share, p50: share, p95: share, p99: share, max: share }),
  /** Nulls of the sequential test, by the request's scheduler: solvers differ by more than images do. */
  tails: z.array(z.strictObject({
    scheduler: z.string().min(1).max(64),
    floor: z.number().min(-100).max(0),
    /** Of records of before, whose signatures are over it. */
    mean: z.number().min(-100).max(1).optional(),
    between: z.number().min(1e-3).max(100),
    /** 0 where all steps agreed to the bit. */
    within: z.number().min(0).max(100),
  })).min(1).max(100),
  date: z.iso.date(),
  /** SS58 of who measured it, where it is signed. */
  hotkey: z.string().max(64).refine(isSs58, "not an SS58 address").optional(),
});

const fileSchema = z.strictObject({
  records: z.array(z.strictObject({
    record: recordSchema,
    /** sr25519 by the record's hotkey over {@link calibrationMessage}, in lower-case hex. */
    signature: z.string().regex(/^[0-9a-f]{128}$/).optional(),
  })).max(1000),
});

/** How far honest images of one backend are from the tolerance, as somebody measured it. */
export type CalibrationRecord = z.infer<typeof recordSchema>;

/** A record, and the signature of whoever answers for it. */
export type SignedCalibration = z.infer<typeof fileSchema>["records"][number];

/** First bytes of what is signed, so that no other signature of a key passes for one. */
const DOMAIN = "stepwise-calibration-v1\n";

/** What is signed: the domain and the canonical JSON, in UTF-8. */
function calibrationMessage(record: CalibrationRecord): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(DOMAIN + canonicalJson(record));
}

/**
 * A file of calibration records. Signatures are for {@link trustedRecords}.
 * @throws AppError `invalid_config` naming the field.
 */
export function decodeCalibration(json: unknown): SignedCalibration[] {
  const decoded = fileSchema.safeParse(json);
  if (decoded.success) return decoded.data.records;
  const [issue] = decoded.error.issues;
  throw new AppError(
    "invalid_config",
    `Cannot read the calibration records: ${issueSentence(issue, json)}`,
    { cause: decoded.error },
  );
}

/** @param hotkey without one the record stays unsigned: good for its maker's own files alone. */
export async function signCalibration(
  measured: Omit<CalibrationRecord, "hotkey">,
  hotkey: Pick<Hotkey, "address" | "sign"> | undefined,
): Promise<SignedCalibration> {
  if (!hotkey) return { record: measured };
  const record = { ...measured, hotkey: hotkey.address };
  return { record, signature: bytesToHex(await hotkey.sign(calibrationMessage(record))) };
}

/**
 * The records of hotkeys that are trusted.
 * @throws AppError `signature_invalid` for one that a trusted hotkey did not sign.
 */
export function trustedRecords(
  signed: readonly SignedCalibration[],
  trusted: readonly string[],
): CalibrationRecord[] {
  return signed.flatMap(({ record, signature }) => {
    const { hotkey } = record;
    if (hotkey === undefined || !trusted.includes(hotkey)) return [];
    if (isSignedBy(hotkey, record, signature)) return [record];
    throw new AppError(
      "signature_invalid",
      `Cannot trust the calibration record of ${record.backend}: its signature is not that of ${hotkey}`,
    );
  });
}

function isSignedBy(
  hotkey: string,
  record: CalibrationRecord,
  signature: string | undefined,
): boolean {
  return signature !== undefined &&
    verifySr25519(calibrationMessage(record), hexToBytes(signature), decodeSs58(hotkey));
}

/** What a record is made of, besides the measured images. */
export type Measured = Omit<
  CalibrationRecord,
  "version" | "images" | "steps" | "quantiles" | "tails" | "hotkey"
>;

/** An honest image that was checked on another machine. */
export interface HonestImage {
  /** Of its request: a name, or {@link OWN_SCHEDULER}. */
  readonly scheduler: string;
  /** Velocity error over tolerance of each step; three at least. */
  readonly ratios: readonly number[];
}

/** Stands for the model's own, where a request names none. */
const OWN_SCHEDULER = "own";

/** The key of a request's null; undefined for a configuration that is written out. */
export function schedulerKey(scheduler: unknown): string | undefined {
  if (scheduler === undefined) return OWN_SCHEDULER;
  return typeof scheduler === "string" ? scheduler : undefined;
}

/** @param images two or more of each scheduler. */
export function calibrationOf(
  measured: Measured,
  images: readonly HonestImage[],
): Omit<CalibrationRecord, "hotkey"> {
  const ratios = images.flatMap((image) => image.ratios).toSorted((a, b) => a - b);
  const at = (part: number) => rounded(ratios[Math.max(0, Math.ceil(part * ratios.length) - 1)]);
  return {
    version: 1,
    ...measured,
    images: images.length,
    steps: ratios.length,
    quantiles: { p5: at(0.05), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    tails: [...Map.groupBy(images, ({ scheduler }) => scheduler)].map(([scheduler, own]) => ({
      scheduler,
      ...roundedTail(fitHonestTail(own.map((image) => image.ratios))),
    })),
  };
}

function roundedTail({ floor, between, within }: HonestTail): HonestTail {
  return { floor: rounded(floor), between: rounded(between), within: rounded(within) };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** What a receipt claims to be computed with, and for what. */
export interface Claim {
  readonly manifest: string;
  /** By {@link schedulerKey}. */
  readonly scheduler?: string;
  readonly precision: CalibrationRecord["tolerance"]["precision"];
  /** As receipts of before do not name it. */
  readonly backend?: Backend;
}

/** Of a receipt. */
export function claimOf({ model, request, ...rest }: Receipt): Claim {
  const backend = "backend" in rest ? rest.backend : undefined;
  return {
    manifest: model.manifest,
    precision: model.precision,
    scheduler: schedulerKey(request.scheduler),
    backend,
  };
}

/** The null that a claim is held against, and whose it is. */
export interface ClaimedTail {
  readonly backend: string;
  readonly tail: HonestTail;
}

/**
 * The null of the claim's backend and scheduler. Where nobody measured that backend, that of the one which
 * honest images are furthest off with; likewise for a scheduler that was not measured. So a claim can only
 * narrow what passes: a miner that names another backend than its own gets at most what one gets that
 * names none. Nor does a record count that was measured on other checkers: errors are of both sides.
 * @param checker the host that the claim is checked on, as records name it.
 * @returns undefined where nobody who is trusted has measured the model.
 */
export function tailOf(
  records: readonly CalibrationRecord[],
  { manifest, precision, backend, scheduler }: Claim,
  checker: string,
): ClaimedTail | undefined {
  const own = records.filter((record) =>
    record.manifest === manifest && record.tolerance.precision === precision
  );
  const named = own.filter((record) =>
    backend !== undefined && isOf(record, backend) && record.checkers.includes(checker)
  );
  const [narrower] = [widestOf(named, scheduler), widestOf(own, scheduler)]
    .flatMap((each) => each ?? [])
    .toSorted((a, b) => reachOf(a.tail) - reachOf(b.tail));
  return narrower;
}

/** Of the scheduler, or else of all. */
function widestOf(
  records: readonly CalibrationRecord[],
  scheduler: string | undefined,
): ClaimedTail | undefined {
  const tails = records.flatMap(({ backend, tails }) => tails.map((tail) => ({ backend, tail })));
  const fitting = tails.filter(({ tail }) => tail.scheduler === scheduler);
  const [widest] = (fitting.length > 0 ? fitting : tails)
    .toSorted((a, b) => reachOf(b.tail) - reachOf(a.tail));
  return widest;
}

/** Whether it measured this very host on this very device. */
function isOf({ backend, device }: CalibrationRecord, { host, adapter }: Backend): boolean {
  return backend === host && (adapter === host || device.includes(` on ${adapter} (`));
}

/** About what a step exceeds once in 700, in nats. */
function reachOf({ floor, between, within }: HonestTail): number {
  return floor + between + 5 * within;
}
