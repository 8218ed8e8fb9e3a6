import {
  type LeafSource,
  makeReceipts,
  openStep,
  RunRecorder,
  transcriptFile,
} from "../../../core/prover/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { fittedSources } from "../../../core/generation/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { encodeImage } from "../../../core/image/mod.ts";
import type { Plan } from "../../../core/schedule/mod.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import type { OpeningSource } from "../../../core/verifier/mod.ts";
import type { GenerateEvent, GenerateOrder, OwnImage } from "../api/mod.ts";
import { ownModel } from "./catalogue.ts";
import type { Engines } from "./engines.ts";
import { ownInputs } from "./own_inputs.ts";
import { openRemoteModel } from "./remote_models.ts";

/** An image with what opens its steps. */
export interface Made {
  readonly own: OwnImage;
  readonly id: string;
  readonly source: OpeningSource;
}

/** Makes an image in this tab, and commits to its steps as a miner does. */
export async function generate(
  order: GenerateOrder,
  { engines, signal, emit }: {
    readonly engines: Engines;
    readonly signal: AbortSignal;
    readonly emit: (event: GenerateEvent) => void;
  },
): Promise<Made> {
  const reportStage = (detail: string) => emit({ kind: "stage", detail });
  reportStage("loading the model");
  const model = order.model === "" ? ownModel() : await openRemoteModel(order.model, signal);
  const inputs = await ownInputs(order);
  const run = { signal, emit: reportStage, loras: inputs.loras };
  const { engine, compute } = await engines.open(model, order.compute, run);
  signal.throwIfAborted();
  reportStage(compute);
  const opened = model.files.fetched;
  const request = decodeRequest({
    prompt: order.prompt,
    negativePrompt: order.negativePrompt,
    seed: order.seed,
    steps: order.steps,
    guidanceScale: order.guidanceScale,
    ...{ ...inputs.size, ...inputs.named },
  }, { ...engine.defaults, ...model.defaults, seed: 0n });
  const times = { started: Date.now(), finished: 0 };
  const recorder = new RunRecorder(request, { keep: true });
  const generation = await engine.generate(request, {
    ...{ signal, source: fittedSources(inputs.files, request) },
    onLeaf: recorder.add,
    onStep: ({ index, steps, preview }) =>
      emit({ kind: "step", step: index + 1, steps, preview: preview()?.[0] }),
  });
  const file = await encodeImage(generation.images[0], "png");
  times.finished = Date.now();
  const commitments = recorder.finish([file], generation.plan);
  const [receipt] = await makeReceipts({
    ...{ generation, format: "png", files: [file], commitments, times },
    ...{ model: await model.facts(), backend: engine.backend },
  }, openHotkey(undefined));
  const leaves: LeafSource = {
    hashes: commitments[0].hashes,
    leaf: (position) =>
      Promise.resolve(
        position < recorder.leaves.length
          ? new Uint8Array(recorder.leaves[position].bits.slice().buffer)
          : file,
      ),
  };
  const seconds = (times.finished - times.started) / 1000;
  const image = new Blob([file], { type: "image/png" });
  const transcript = new Blob([transcriptFile(generation, recorder.leaves, commitments)]);
  return {
    own: {
      ...{ receipt, image, inputs: inputs.blobs, transcript },
      ...{ seconds, compute, fetched: opened },
    },
    id: receiptId(receipt),
    source: openingsOf(leaves, generation.plan),
  };
}

function openingsOf(leaves: LeafSource, plan: Plan): OpeningSource {
  return ({ receipt, id }, target) => openStep(leaves, receipt, plan, target, id);
}
