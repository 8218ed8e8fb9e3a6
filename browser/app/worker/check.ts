import { counted } from "../../../core/counted.ts";
import { AppError } from "../../../core/error.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import { type LatentPreview, OWN_CONTROL } from "../../../core/model/mod.ts";
import { type Receipt, targetName } from "../../../core/transcript/mod.ts";
import {
  chooseSteps,
  type ChosenSteps,
  committedFile,
  openedLeaf,
  type OpeningSource,
  type ProvenOpening,
  type Report,
  type StepChoice,
  type Verification,
} from "../../../core/verifier/mod.ts";
import {
  type LeafSource,
  leavesOfTranscript,
  maxTranscriptBytes,
  openStep,
} from "../../../core/prover/mod.ts";
import { minerAddress, openingsOfMiner } from "../../../core/protocol/mod.ts";
import {
  type CheckEvent,
  type CheckOrder,
  countOf,
  type InputBlobs,
  namedFiles,
  type Reach,
  type ReachSubject,
  type TabReport,
} from "../api/mod.ts";

import { modelOf, type TabModel } from "./catalogue.ts";
import type { Engines, Opened } from "./engines.ts";
import { differenceOf, pictureOf, type Predictions } from "./pictures.ts";
import { checkAlone } from "./statement.ts";
import type { Verifiers } from "./verifiers.ts";
import { witnessedSteps } from "./witnessed_steps.ts";

const OPENING_MS = 30_000;

/** What a check in this tab works with. */
export interface CheckParts {
  readonly engines: Engines;
  readonly verifiers: Verifiers;
  /** Opens the steps of what this tab made. */
  readonly own: OpeningSource | undefined;
  readonly signal: AbortSignal;
  readonly emit: (event: CheckEvent) => void;
}

/** How far this tab can check a receipt. */
export function reachOf(
  { receipt, link, transcript, inputs }: ReachSubject,
  own: boolean,
): Reach {
  if (!modelOf(receipt.model)) {
    return {
      level: 0,
      why:
        "This tab does not have the receipt's model: the signature and the image's hash can be " +
        "checked here, the rest by deno task verify, which takes any model.",
    };
  }
  if (!link && !transcript && !own) {
    return {
      level: 0,
      why:
        "No miner is known to open its steps: the signature, the plan and the image's hash can " +
        "be checked. Open a link with the miner's address, or drop its transcript, for more.",
    };
  }
  const why = whyNoNetwork({ receipt, link, inputs });
  return why === undefined ? { level: 3 } : { level: 1, why };
}

/** What the network read that is not here. */
function whyNoNetwork({ receipt, link, inputs = {} }: ReachSubject): string | undefined {
  const other = receipt.request.control?.find(({ network }) => network !== OWN_CONTROL);
  if (other) {
    return "The image was drawn along edges by a ControlNet of its own, which this tab does not have: " +
      "the steps' arithmetic can be checked here, the network by deno task verify --controlnet.";
  }
  const missing = namedFiles(receipt).filter(({ sha256 }) => !(sha256 in inputs));
  if (missing.some(({ role }) => role === "lora")) {
    return "The image was made with a LoRA whose file is not here: the steps' arithmetic can be " +
      "checked, and the network once you drop it below.";
  }
  if (!link && missing.some(({ role }) => role === "control")) {
    return "The image was drawn along a picture whose file is not here: the steps' arithmetic can be " +
      "checked, and the network once you drop it below.";
  }
  return undefined;
}

/** Checks one receipt, and emits its progress. */
export async function check(order: CheckOrder, parts: CheckParts): Promise<TabReport> {
  const { receipt } = order;
  parts.emit({ kind: "stage", stage: "receipt", detail: "signature, request and plan" });
  const model = modelOf(receipt.model);
  if (!model) return await checkAlone(order);
  const source = sourceOf(order) ?? parts.own;
  const drawn = chooseSteps(receipt, source ? await stepsOf(order) : { take: [] });
  parts.emit({ kind: "drawn", steps: drawn.steps });
  return await checkWithModel(order, model, { ...parts, source, drawn });
}

async function stepsOf({ receipt, steps }: CheckOrder): Promise<StepChoice> {
  return "node" in steps ? await witnessedSteps(receipt, steps) : steps;
}

/** What opens its steps: a given file before a miner, which may be offline. */
function sourceOf({ link, transcript, image }: CheckOrder): OpeningSource | undefined {
  if (transcript) return openingsOfFile(transcript, image);
  return link && openingsOfMiner(minerAddress(link.miner, OPENING_MS, link.token));
}

/** Opens from a transcript file, as its miner would: the proofs are made from it. */
function openingsOfFile(file: Blob, image: Blob | undefined): OpeningSource {
  let read: Promise<LeafSource> | undefined;
  return async ({ receipt, id, plan }, target) => {
    read ??= leavesOf(file, receipt, image);
    return await openStep(await read, receipt, plan, target, id);
  };
}

async function leavesOf(
  file: Blob,
  receipt: Receipt,
  image: Blob | undefined,
): Promise<LeafSource> {
  const max = maxTranscriptBytes(receipt);
  if (file.size > max) {
    throw new AppError(
      "transcript_invalid",
      `Cannot use the transcript: it has ${counted(file.size, "byte")}, more than ${max}`,
    );
  }
  const [bytes, ofImage] = await Promise.all([file, image].map((each) => each?.arrayBuffer()));
  return leavesOfTranscript(
    new Uint8Array(bytes ?? new ArrayBuffer()),
    receipt,
    ofImage && committedFile(receipt, new Uint8Array(ofImage)),
  );
}

interface WithModel extends CheckParts {
  readonly source: OpeningSource | undefined;
  readonly drawn: ChosenSteps;
}

async function checkWithModel(
  order: CheckOrder,
  model: TabModel,
  { engines, verifiers, source, drawn, signal, emit }: WithModel,
): Promise<Report> {
  const { receipt, level, image, compute } = order;
  model.files.download = { signal };
  const { verifier, preview } = await verifiers.open(model, signal);
  const watch = new Watch(receipt, preview, { signal, emit });
  const bytes = image && committedFile(receipt, new Uint8Array(await image.arrayBuffer()));
  const evidence = await evidenceOf(order, emit);
  let opened: Opened | undefined;
  const report = await verifier.verify({
    ...{ receipt, level: source ? level : 0, drawn },
    source: source && watch.openings(source),
    onOpened: (opening) => watch.opened(opening),
    image: bytes && (() => Promise.resolve(bytes)),
    ...evidence,
    openEngine: async () => {
      const reportModel = (detail: string) => emit({ kind: "stage", stage: "model", detail });
      reportModel("loading");
      const run = { signal, emit: reportModel, loras: lorasOf(order) };
      opened = await engines.open(model, compute, run);
      signal.throwIfAborted();
      reportModel(opened.compute);
      return watch.engine(opened.engine);
    },
  });
  signal.throwIfAborted();
  if (opened) emit({ kind: "stage", stage: "model", detail: opened.compute });
  watch.emitDifferences(report);
  return report;
}

/** What it was made from, which is shown as well. */
async function evidenceOf(
  order: CheckOrder,
  emit: CheckParts["emit"],
): Promise<Pick<Verification, "sources" | "parent">> {
  const { receipt } = order;
  if (namedFiles(receipt).every(({ role }) => role === "lora")) return {};
  const { inputsOfReceipt, parentEvidence, picturesOf } = await import("./evidence.ts");
  const sources = await inputsOfReceipt(order, async (found) => {
    emit({ kind: "sources", sources: await picturesOf(found, receipt) });
  });
  return { sources, parent: await parentEvidence(order) };
}

/** LoRAs that the request used, of those that are here. */
function lorasOf({ receipt, inputs = {} }: CheckOrder): InputBlobs {
  const named = namedFiles(receipt).filter(({ role, sha256 }) => role === "lora" && inputs[sha256]);
  return Object.fromEntries(named.map(({ sha256 }) => [sha256, inputs[sha256]]));
}

/** Observes a check, and emits what it sees as pictures. */
class Watch {
  readonly #receipt: Receipt;
  readonly #map: LatentPreview | undefined;
  readonly #parts: Pick<CheckParts, "signal" | "emit">;
  readonly #predictions = new Map<number, Omit<Predictions, "ours"> & { ours?: Uint16Array }>();

  constructor(
    receipt: Receipt,
    map: LatentPreview | undefined,
    parts: Pick<CheckParts, "signal" | "emit">,
  ) {
    this.#receipt = receipt;
    this.#map = map;
    this.#parts = parts;
  }

  /** The same openings; each request for one is emitted. */
  openings(source: OpeningSource): OpeningSource {
    return async (committed, target) => {
      this.#stage("proofs", `opening ${targetName(target)}`);
      const bytes = await source(committed, target);
      this.#parts.signal.throwIfAborted();
      return bytes;
    };
  }

  /** Emits the states of an opening that was proven. */
  opened(opening: ProvenOpening): void {
    const { target, committed, leaves } = opening;
    for (const [name, bits] of leaves) {
      const step = Number(/^x\.(\d+)$/.exec(name)?.[1] ?? NaN);
      if (!(step < this.#receipt.steps)) continue;
      this.#parts.emit({ kind: "opened", step, state: this.#picture(bits) });
    }
    if (typeof target !== "number") return;
    this.#predictions.set(target, {
      theirs: openedLeaf(opening, "d", target),
      state: openedLeaf(opening, "x", target),
      alpha: committed.plan.rows[target].alpha,
    });
  }

  /** The same engine; its predictions are kept, to be compared with the miner's. */
  engine(engine: ImageEngine): Pick<ImageEngine, "predict" | "decode" | "encode"> {
    return {
      encode: (request, image, mask) => {
        this.#stage("image", "encoding the image that it started from");
        return engine.encode(request, image, mask);
      },
      predict: async (request, states, given) => {
        this.#stage("network", `${countOf(states.length, "step")} through the network`);
        const ours = await engine.predict(request, states, given);
        this.#parts.signal.throwIfAborted();
        for (const [k, { index }] of states.entries()) {
          const known = this.#predictions.get(index);
          if (known) known.ours = ours[k];
        }
        return ours;
      },
      decode: (request, bits) => {
        this.#stage("image", "decoding the last state");
        return engine.decode(request, bits);
      },
    };
  }

  /** Once it is known how far apart they may be. */
  emitDifferences({ steps }: Report): void {
    for (const { step, tolerance } of steps) {
      const { theirs, ours, state, alpha } = this.#predictions.get(step) ?? {};
      if (!theirs || !ours || !state || alpha === undefined || tolerance === undefined) continue;
      this.#parts.emit({
        ...{ kind: "compared", step, theirs: this.#picture(theirs), ours: this.#picture(ours) },
        difference: differenceOf(
          { theirs, ours, state, alpha },
          this.#receipt.latent,
          tolerance,
        ),
      });
    }
  }

  #stage(stage: "proofs" | "network" | "image", detail: string): void {
    this.#parts.signal.throwIfAborted();
    this.#parts.emit({ kind: "stage", stage, detail });
  }

  #picture(bits: Uint16Array) {
    return pictureOf(this.#map, bits, this.#receipt.latent);
  }
}
