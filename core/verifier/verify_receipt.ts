import { decodeImage, encodeImage, type ImageFormat, type RgbaImage } from "../image/mod.ts";
import type { ImageEngine } from "../generation/mod.ts";
import type { Receipt } from "../transcript/mod.ts";
import { type CheckedReceipt, checkImage } from "./check_receipt.ts";
import { checkImageLeaf, checkOpening } from "./check_opening.ts";
import {
  checkImageSteps,
  type ImageCheck,
  type ImageFindings,
  type Level,
} from "./check_image_steps.ts";
import { decodeTolerances, type Tolerance } from "./tolerance.ts";
import { DEFAULT_TOLERANCES, psnrFloor } from "./defaults.ts";
import { type Accepted, acceptReceipt, type OwnModel, ownSettings } from "./accept_receipt.ts";
import type { ChosenSteps } from "./choose_steps.ts";
import { Meter } from "./meter.ts";
import type { OpeningSource } from "./opening_source.ts";
import { ofMiner, Refusal } from "./refusal.ts";
import { type Report, reportOf } from "./report.ts";

/** What to verify, and with what. */
export interface Verification {
  readonly receipt: Receipt;
  /** How far to go, if there is a source, and for level 3 an image. */
  readonly level: Level;
  readonly model: OwnModel;
  /** Chosen after the receipt was in hand; they are opened where there is a source. */
  readonly drawn: ChosenSteps;
  readonly source?: OpeningSource;
  /** The image's file, if at hand. Asked for once the arithmetic of the opened steps holds. */
  readonly image?: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Called from level 2 on, and only if all that is cheaper holds. */
  readonly openEngine: () => Promise<Pick<ImageEngine, "predict" | "decode">>;
}

/**
 * Checks one receipt to a level.
 * @returns a verdict with its numbers; `invalid` with the reason where evidence fails a check.
 * @throws AppError when the checker cannot check: no model, no host, no file, a codec or an engine
 * that fails. Nothing of that says anything about the miner.
 */
export async function verifyReceipt(what: Verification): Promise<Report> {
  const meter = new Meter();
  const tolerances = tolerancesOf(what);
  const own = await ownSettings(what.model);
  try {
    const accepted = await ofMiner(() => acceptReceipt(what.receipt, own));
    const findings = await findingsOf(what, accepted, tolerances.table, meter);
    const { plan } = accepted.committed;
    return reportOf(what, { findings, plan, meter, tolerances: tolerances.origin });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message } = error.cause;
    return reportOf(what, { refusal: { code, message }, meter, tolerances: tolerances.origin });
  }
}

async function findingsOf(
  what: Verification,
  { committed, request }: Accepted,
  tolerance: Tolerance,
  meter: Meter,
): Promise<ImageFindings> {
  const { source, level, drawn: { steps } } = what;
  const image = what.image && imageOf(what.image, committed);
  if (!source) {
    await image?.(undefined);
    return { verdict: "honest", level: 0, steps: [] };
  }
  return await checkImageSteps({
    committed,
    level,
    steps,
    open: (target) =>
      ofMiner(async () =>
        checkOpening(await meter.opening(() => source(committed, target)), committed, target)
      ),
    network: {
      request,
      engine: async () => meter.engine(await meter.loading(what.openEngine)),
      tolerance,
    },
    image,
  });
}

/** The file, held against receipt and tree, and its pixels. */
function imageOf(
  file: NonNullable<Verification["image"]>,
  committed: CheckedReceipt,
): NonNullable<ImageCheck["image"]> {
  const { receipt } = committed;
  const format = formatOf(receipt);
  return async (last) => {
    const bytes = await ofMiner(file);
    await ofMiner(() => {
      checkImage(committed, bytes);
      if (last) checkImageLeaf(last, bytes);
    });
    return {
      pixels: () => pixelsOf(bytes, format, receipt.request),
      floor: psnrFloor(receipt.image.mediaType),
    };
  };
}

/** That a file cannot be decoded is the miner's fault only if our codec can decode at all. */
async function pixelsOf(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  size: Pick<RgbaImage, "width" | "height">,
): Promise<RgbaImage> {
  try {
    return await ofMiner(() => decodeImage(file, format, size));
  } catch (refusal) {
    const pixel = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
    await decodeImage(await encodeImage(pixel, format), format, pixel);
    throw refusal;
  }
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
