import { AppError } from "../../../core/error.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import { type LatentPreview, readJson } from "../../../core/inference/mod.ts";
import { type OpeningTarget, type Receipt, receiptId } from "../../../core/transcript/mod.ts";
import {
  checkOpening,
  drawSteps,
  openedLeaf,
  privateWords,
  publicWords,
} from "../../../core/verification/mod.ts";
import {
  minerAddress,
  openingsOfMiner,
  type OpeningSource,
  type Report,
  verifyReceipt,
} from "../../../core/verify/mod.ts";
import type { CheckEvent, CheckOrder } from "../api.ts";
import { modelOf } from "./catalogue.ts";
import type { Engines } from "./engines.ts";
import { differenceOf, pictureOf } from "./pictures.ts";

const OPENING_MS = 30_000;
/** Of a state's range: a difference of this much is shown brightest. */
const BRIGHTEST = 0.1;

type Tell = (event: CheckEvent) => void;

/** Checks one receipt, and tells what it does as it does it. */
export async function check(
  order: CheckOrder,
  { engines, own, signal, tell }: {
    readonly engines: Engines;
    /** Opens the steps of what this tab made. */
    readonly own: OpeningSource | undefined;
    readonly signal: AbortSignal;
    readonly tell: Tell;
  },
): Promise<Report> {
  const { receipt, level, link, image } = order;
  const model = modelOf(receipt.model);
  const source = link ? openingsOfMiner(minerAddress(link.miner, OPENING_MS, link.token)) : own;
  const steps = source && level >= 0 ? chosenSteps(order, receipt) : [];
  tell({ kind: "drawn", steps });
  tell({ kind: "stage", stage: "receipt", detail: "signature, request and plan" });
  const map = await previewMap(model.files);
  const theirs = new Map<number, Uint16Array>();
  const watched = source && watch(source, { receipt, map, tell, signal, theirs });
  const bytes = image && new Uint8Array(await image.arrayBuffer());
  return await verifyReceipt({
    ...{ receipt, level, model, steps },
    draw: "take" in order.steps ? "chosen" : order.steps.blockHash ? "public" : "private",
    source: watched,
    image: bytes && (() => Promise.resolve(bytes)),
    openEngine: async () => {
      tell({ kind: "stage", stage: "arithmetic", detail: "holds at every opened step" });
      model.files.onBytes = (path, got, of) => {
        signal.throwIfAborted();
        const detail = `${path}: ${(got / 1e6).toFixed(1)} of ${(of / 1e6).toFixed(1)} MB`;
        tell({ kind: "stage", stage: "model", detail });
      };
      tell({ kind: "stage", stage: "model", detail: "loading" });
      const { engine, compute } = await engines.open(model, order.compute);
      tell({ kind: "stage", stage: "model", detail: compute });
      return compared(engine, { receipt, map, tell, signal, theirs });
    },
  });
}

interface Watching {
  readonly receipt: Receipt;
  readonly map: LatentPreview | undefined;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  /** The miner's predictions, by step. */
  readonly theirs: Map<number, Uint16Array>;
}

/** Tells of each opening, with its state as a picture, once it is proven. */
function watch(
  source: OpeningSource,
  { receipt, map, tell, signal, theirs }: Watching,
): OpeningSource {
  return async (committed, target: OpeningTarget) => {
    signal.throwIfAborted();
    tell({ kind: "stage", stage: "proofs", detail: `opening ${nameOf(target)}` });
    const bytes = await source(committed, target);
    const opening = checkOpening(bytes, committed, target);
    if (typeof target === "number") {
      theirs.set(target, openedLeaf(opening, "d", target));
      const preview = pictureOf(map, openedLeaf(opening, "x", target), receipt.latent);
      tell({ kind: "opened", step: target, preview });
    }
    return bytes;
  };
}

function nameOf(target: OpeningTarget): string {
  return typeof target === "number" ? `step ${target}` : `the ${target}`;
}

/** The same engine, whose predictions are shown beside the miner's. */
function compared(
  engine: ImageEngine,
  { receipt, map, tell, signal, theirs }: Watching,
): Pick<ImageEngine, "predict" | "decode"> {
  return {
    predict: async (request, states) => {
      signal.throwIfAborted();
      tell({
        kind: "stage",
        stage: "network",
        detail: `${states.length} steps through the network`,
      });
      const ours = await engine.predict(request, states);
      for (const [k, { index }] of states.entries()) {
        const miner = theirs.get(index);
        if (!miner) continue;
        tell({
          ...{ kind: "compared", step: index },
          theirs: pictureOf(map, miner, receipt.latent),
          ours: pictureOf(map, ours[k], receipt.latent),
          difference: differenceOf(miner, ours[k], receipt.latent, BRIGHTEST),
        });
      }
      return ours;
    },
    decode: (request, bits) => {
      signal.throwIfAborted();
      tell({ kind: "stage", stage: "image", detail: "decoding the last state" });
      return engine.decode(request, bits);
    },
  };
}

function chosenSteps({ steps }: CheckOrder, receipt: Receipt): number[] {
  if ("take" in steps) {
    const far = steps.take.find((step) => step >= receipt.steps);
    if (far === undefined) return [...new Set(steps.take)].sort((a, b) => a - b);
    throw new AppError(
      "challenge_invalid",
      `Cannot open a step: ${far} is not one of 0 to ${receipt.steps - 1}`,
    );
  }
  const words = steps.blockHash
    ? publicWords(bytesOf(steps.blockHash), receiptId(receipt))
    : privateWords((count) => crypto.getRandomValues(new Uint8Array(count)));
  return drawSteps(receipt.steps, Math.min(steps.draw, receipt.steps), words);
}

function bytesOf(blockHash: string): Uint8Array {
  const hex = blockHash.trim().replace(/^0x/, "");
  if (/^[0-9a-fA-F]{64}$/.test(hex)) {
    return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }
  throw new AppError(
    "invalid_request",
    `Cannot draw steps: the block's hash is ${blockHash.slice(0, 80)}, not 64 hexadecimal digits`,
  );
}

async function previewMap(
  files: Parameters<typeof readJson>[0],
): Promise<LatentPreview | undefined> {
  const config = await readJson(files, "vae_decoder/config.json").catch(() => undefined);
  return (config as { latent_preview?: LatentPreview } | undefined)?.latent_preview;
}
