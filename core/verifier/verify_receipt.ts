import {
  checkOpaque,
  type ImageCodec,
  imageCodec,
  type ImageFormat,
  imageFormatOfType,
  type RgbaImage,
} from "../image/mod.ts";
import type { SourceImages } from "../generation/mod.ts";
import type { Tolerance } from "../model/mod.ts";
import { type Receipt, receiptId } from "../transcript/mod.ts";
import {
  type CheckedImage,
  type CheckedReceipt,
  type CheckedStatement,
  checkImage,
} from "./check_receipt.ts";
import { checkImageLeaf, checkOpening, type ProvenOpening } from "./check_opening.ts";
import {
  type CheckEngine,
  checkImageSteps,
  type ImageCheck,
  type ImageFindings,
  type Level,
} from "./check_image_steps.ts";
import { checkParent, type ParentEvidence } from "./check_parent.ts";
import { compareFile, notDecoded } from "./compare_file.ts";
import { toleranceFor } from "./tolerance.ts";
import { type Accepted, acceptReceipt, type OwnSettings } from "./accept_receipt.ts";
import type { ChosenSteps } from "./choose_steps.ts";
import { Meter } from "./meter.ts";
import type { OpeningSource } from "./opening_source.ts";
import { ofMiner, Refusal } from "./refusal.ts";
import { type Outcome, type Report, reportOf } from "./report.ts";

/** What to verify, and with what. */
export interface Verification {
  /** Its signature is verified, unless it was before. */
  readonly receipt: Receipt | CheckedStatement;
  /** How far to go, if there is a source, and for level 3 an image. */
  readonly level: Level;
  /** Chosen after the receipt was in hand; they are opened where there is a source. */
  readonly drawn: ChosenSteps;
  readonly source?: OpeningSource;
  /** Called with each opening once it is proven. */
  readonly onOpened?: (opening: ProvenOpening) => void;
  /**
   * The image's file, if there is one. Asked for once the arithmetic of the opened steps holds. It is
   * hashed, unless it was before.
   */
  readonly image?: () => Promise<Uint8Array<ArrayBuffer> | CheckedImage>;
  /** Decodes the image; default: in the caller's own thread. */
  readonly codec?: ImageCodec;
  /**
   * The files that the request names, decoded and fitted to its size, where there are any: the network
   * is given control images at level 2, and what a run started from is compared with them at level 3. A
   * function where they are the miner's to send: it is called from level 2 on.
   */
  readonly sources?: SourceImages | (() => Promise<SourceImages | undefined>);
  /** The receipt that the request goes on from, where the checker has it. */
  readonly parent?: ParentEvidence;
  /** Called from level 2 on, and only if all that is cheaper holds. */
  readonly openEngine: () => Promise<CheckEngine>;
}

/** Checks one receipt to a level. @throws AppError as `Verifier.verify`. */
export async function verifyReceipt(what: Verification, own: OwnSettings): Promise<Report> {
  const meter = new Meter();
  const { level, drawn } = what;
  const receipt = "receipt" in what.receipt ? what.receipt.receipt : what.receipt;
  const { model: { precision }, request } = receipt;
  // What is no request is refused before anything is compared.
  const guidance = { guided: own.guided, guidanceScale: Number(request.guidanceScale) };
  const { table, origin: tolerances } = toleranceFor(precision, own.tolerances, guidance);
  let id = "receipt" in what.receipt ? what.receipt.id : undefined;
  const report = (outcome: Pick<Outcome, "findings" | "plan" | "refusal">) =>
    reportOf(
      { receipt, id: id ?? receiptId(receipt), level, drawn },
      { ...outcome, meter, tolerances },
    );
  try {
    const accepted = await ofMiner(() => acceptReceipt(what.receipt, own));
    id = accepted.committed.id;
    const findings = await findingsOf(what, accepted, table, meter);
    return report({ findings, plan: accepted.committed.plan });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message } = error.cause;
    return report({ refusal: { code, message } });
  }
}

async function findingsOf(
  what: Verification,
  { committed, request }: Accepted,
  tolerance: Tolerance,
  meter: Meter,
): Promise<ImageFindings> {
  const { source, level, drawn: { steps } } = what;
  const { parent } = what;
  const compareParent = parent && checkParent(committed, parent);
  const image = what.image && imageOf(what.image, committed, what.codec ?? imageCodec);
  if (!source) {
    await image?.(undefined);
    return { verdict: "honest", level: 0, steps: [], parent: await compareParent?.() };
  }
  return await checkImageSteps({
    committed,
    level,
    steps,
    open: async (target) => {
      const opening = await ofMiner(async () =>
        checkOpening(await meter.opening(() => source(committed, target)), committed, target)
      );
      what.onOpened?.(opening);
      return opening;
    },
    network: {
      request,
      engine: async () => meter.engine(await meter.loading(what.openEngine)),
      tolerance,
    },
    image,
    ...{ sources: level >= 2 ? await sourcesOf(what) : undefined, parent: compareParent },
  });
}

async function sourcesOf({ sources }: Verification): Promise<SourceImages | undefined> {
  if (typeof sources !== "function") return sources;
  try {
    return await ofMiner(sources);
  } catch (error) {
    // Our own decoder failed: a file that is no image is `invalid_request`.
    throw error instanceof Refusal && error.cause.code === "encoding_failed" ? error.cause : error;
  }
}

/** The file, checked against receipt and tree, and its pixels. */
function imageOf(
  file: NonNullable<Verification["image"]>,
  committed: CheckedReceipt,
  codec: ImageCodec,
): NonNullable<ImageCheck["image"]> {
  const { receipt } = committed;
  const format = imageFormatOfType(receipt.image.mediaType);
  return async (last) => {
    const given = await ofMiner(file);
    const { bytes } = await ofMiner(() => checkImage(committed, given));
    await ofMiner(() => last && checkImageLeaf(last, bytes));
    const { image: { quality }, model: { precision } } = receipt;
    const open = async () => {
      const pixels = await pixelsOf(bytes, format, receipt.request, codec);
      const file = { bytes: bytes.length, pixels, format, quality, precision };
      return {
        compare: (decoded: RgbaImage | undefined) =>
          decoded ? compareFile(file, decoded, codec) : Promise.resolve(notDecoded(file)),
      };
    };
    return { open };
  };
}

/** That a file cannot be decoded is the miner's fault only if our codec can decode at all. */
async function pixelsOf(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  size: Pick<RgbaImage, "width" | "height">,
  codec: ImageCodec,
): Promise<RgbaImage> {
  try {
    return await ofMiner(async () => {
      const image = await codec.decode(file, format, size);
      checkOpaque(image, format);
      return image;
    });
  } catch (refusal) {
    const pixel = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
    await codec.decode(await codec.encode(pixel, format), format, pixel);
    throw refusal;
  }
}
