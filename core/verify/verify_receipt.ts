import { AppError, type ErrorCode } from "../error.ts";
import { decodeImage, type ImageEngine, type ImageFormat } from "../generation/mod.ts";
import type { Receipt } from "../transcript/mod.ts";
import {
  checkImage,
  checkImageSteps,
  decodeTolerances,
  DEFAULT_TOLERANCES,
  type ImageFindings,
  type Level,
  psnrFloor,
  type Tolerance,
} from "../verification/mod.ts";
import { type Accepted, acceptReceipt, type OwnModel } from "./accept_receipt.ts";
import { Meter } from "./meter.ts";
import type { OpeningSource } from "./opening_source.ts";
import { type Report, reportOf } from "./report.ts";

/** What to verify, and with what. */
export interface Verification {
  readonly receipt: Receipt;
  readonly level: Level;
  readonly model: OwnModel;
  /** Chosen after the receipt was in hand; none where there is no source. */
  readonly steps: readonly number[];
  readonly draw: Report["draw"];
  readonly source?: OpeningSource;
  /** The image's file, if at hand. */
  readonly image?: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Called from level 2 on, and only if all that is cheaper holds. */
  readonly openEngine: () => Promise<Pick<ImageEngine, "predict" | "decode">>;
}

/** What makes evidence invalid. Anything else that goes wrong is the checker's own trouble. */
const INVALID: readonly ErrorCode[] = [
  "signature_invalid",
  "receipt_mismatch",
  "transcript_invalid",
  "opening_invalid",
  "opening_mismatch",
  "opening_withheld",
  "proof_invalid",
  "not_finite",
  "shape_mismatch",
  "invalid_request",
  "invalid_config",
  "unsupported_setting",
  "encoding_failed",
];

/**
 * Checks one receipt to a level.
 * @returns a verdict with its numbers; `invalid` with the reason where evidence fails a check.
 * @throws AppError when the checker cannot check: no model, no host, no file.
 */
export async function verifyReceipt(what: Verification): Promise<Report> {
  const meter = new Meter();
  const tolerances = tolerancesOf(what);
  try {
    const accepted = await acceptReceipt(what.receipt, what.model);
    const findings = await findingsOf(what, accepted, tolerances.table, meter);
    const { plan } = accepted.committed;
    return reportOf(what, { findings, plan, meter, tolerances: tolerances.origin });
  } catch (error) {
    if (!(error instanceof AppError) || !INVALID.includes(error.code)) throw error;
    const refusal = { code: error.code, message: error.message };
    return reportOf(what, { refusal, meter, tolerances: tolerances.origin });
  }
}

async function findingsOf(
  what: Verification,
  { committed, request }: Accepted,
  tolerance: Tolerance,
  meter: Meter,
): Promise<ImageFindings> {
  const { source, level, steps, receipt } = what;
  const image = await what.image?.();
  if (image) checkImage(committed, image);
  if (!source) return { verdict: "honest", steps: [] };
  return await checkImageSteps({
    committed,
    level,
    steps,
    open: (target) => meter.opening(() => source(committed, target)),
    network: {
      request,
      engine: async () => meter.engine(await meter.loading(what.openEngine)),
      tolerance,
    },
    image: image && level >= 3
      ? {
        pixels: await decodeImage(image, formatOf(receipt), request),
        floor: psnrFloor(receipt.image.mediaType),
      }
      : undefined,
  });
}

function formatOf(receipt: Receipt): ImageFormat {
  switch (receipt.image.mediaType) {
    case "image/png":
      return "png";
    case "image/jpeg":
      return "jpeg";
    case "image/webp":
      return "webp";
    default:
      return receipt.image.mediaType satisfies never;
  }
}

/** The catalogue's for the precision of the network, or else the stated defaults. */
function tolerancesOf(
  { receipt: { model: { precision } }, model }: Verification,
): { readonly table: Tolerance; readonly origin: "catalogue" | "default" } {
  const own = decodeTolerances(model.tolerances).find((each) => each.precision === precision);
  if (own) return { table: own, origin: "catalogue" };
  const table = DEFAULT_TOLERANCES.find((each) => each.precision === precision);
  return { table: table ?? DEFAULT_TOLERANCES[0], origin: "default" };
}
