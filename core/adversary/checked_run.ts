import type { Leaf } from "../denoise/mod.ts";
import type { Generation, ImageEngine, SourceImages } from "../generation/mod.ts";
import { encodeImage } from "../image/mod.ts";
import type { Hotkey } from "../keys/mod.ts";
import type { KnownModel } from "../model/mod.ts";
import {
  type LeafSource,
  leavesOfTranscript,
  makeReceipts,
  openStep,
  RunRecorder,
  transcriptFile,
} from "../prover/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import type { Receipt } from "../transcript/mod.ts";
import type { ChosenSteps, ParentEvidence, Report, Verifier } from "../verifier/mod.ts";

/** A request, and what it names, as the checker has it. */
export interface AskedRun {
  readonly request: GenerationRequest;
  /** Fitted to the request's size. */
  readonly files?: SourceImages;
  readonly parent?: ParentEvidence;
}

/** A run as a miner commits to it. */
export interface CommittedRun {
  /** Its request is the one that the receipt names. */
  readonly generation: Generation;
  /** In the transcript's order. */
  readonly leaves: readonly Leaf[];
}

/** A run with its receipt, its image's file, and what opens its steps. */
export interface ServedRun {
  readonly receipt: Receipt;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly leaves: LeafSource;
}

/** An honest run. */
export async function runOf(
  engine: Pick<ImageEngine, "generate">,
  { request, files }: Pick<AskedRun, "request" | "files">,
): Promise<CommittedRun> {
  const leaves: Leaf[] = [];
  const onLeaf = (leaf: Leaf) => void leaves.push(leaf);
  return { generation: await engine.generate(request, { source: files, onLeaf }), leaves };
}

/** Commits to a run, and signs it. */
export async function serveRun(
  { generation, leaves }: CommittedRun,
  model: Pick<KnownModel, "facts">,
  miner: Hotkey,
): Promise<ServedRun> {
  const { request, plan, images: [image] } = generation;
  const recorder = new RunRecorder(request, { keep: false });
  for (const leaf of leaves) recorder.add(leaf);
  const file = await encodeImage(image, "png");
  const commitments = recorder.finish([file], plan);
  const [receipt] = await makeReceipts({
    ...{ generation, commitments, format: "png", files: [file] },
    ...{ model: await model.facts(), backend: { host: "cpu", adapter: "cpu" } },
    times: { started: 0, finished: 0 },
  }, miner);
  const transcript = transcriptFile(generation, leaves, commitments);
  return { receipt, file, leaves: leavesOfTranscript(transcript, receipt, file) };
}

/** Checks a run to level 3, with all that its request names. */
export function checkRun(
  { receipt, file, leaves }: ServedRun,
  { files, parent }: Omit<AskedRun, "request">,
  drawn: ChosenSteps,
  { verifier, engine }: { readonly verifier: Verifier; readonly engine: ImageEngine },
): Promise<Report> {
  return verifier.verify({
    ...{ receipt, level: 3, drawn, parent, sources: files },
    source: ({ id, plan }, target) => openStep(leaves, receipt, plan, target, id),
    image: () => Promise.resolve(file),
    openEngine: () => Promise.resolve(engine),
  });
}
