import { AppError } from "../error.ts";
import { refuseOtherFormats } from "../checkpoint/mod.ts";
import type { ModelFiles } from "../model/mod.ts";
import { type IndexedTensor, readFloats, readSafetensorsIndex } from "../safetensors/mod.ts";
import { type ModuleName, moduleName, otherKind, roleOf } from "./lora_names.ts";
import { decodeNotes } from "./lora_notes.ts";

/** The change of one module's weight. */
export interface LoraModule extends ModuleName {
  /** As in the file. */
  readonly name: string;
  readonly down: IndexedTensor;
  readonly up: IndexedTensor;
  readonly mid?: IndexedTensor;
  /** alpha / rank. */
  readonly scale: number;
}

/** What a LoRA file holds. */
export interface LoraFile {
  readonly modules: readonly LoraModule[];
  /** What its trainer noted of the base model, for messages: `sdxl_base_v1-0`. */
  readonly base?: string;
}

type Tensors = Partial<Record<"down" | "up" | "mid" | "alpha", IndexedTensor>>;

const MAX_NAMED = 3;

/**
 * Reads the header of a LoRA in kohya's, diffusers' or PEFT's names, and its alphas.
 * @throws AppError `model_invalid` naming tensors that are of another kind, or of none.
 */
export async function readLora(files: ModelFiles, path: string): Promise<LoraFile> {
  const refuse = (why: string): never => {
    throw new AppError("model_invalid", `Cannot use the LoRA ${files.name}: ${why}`);
  };
  await refuseOtherFormats(files, path, refuse);
  const { tensors, metadata } = await readSafetensorsIndex(files, path);
  const byModule = groupByModule(tensors.values(), refuse);
  const notes = decodeNotes(metadata.lora_adapter_metadata, refuse);
  const modules: LoraModule[] = [];
  for (const [name, { down, up, mid, alpha }] of byModule) {
    const module = moduleName(name) ?? refuse(`${name} belongs to no network that is built`);
    if (!down || !up) {
      return refuse(`${name} has ${down ? "no up" : "no down"}: half of it is missing`);
    }
    const rank = down.shape[0];
    const stated = alpha ? await numberOf(files, alpha, refuse) : notes.alphaOf(module);
    // As trainers read it: none, or 0, is the rank.
    const scale = (stated || rank) / (notes.rootedIn(module.part) ? Math.sqrt(rank) : rank);
    modules.push({ ...module, name, down, up, ...mid && { mid }, scale });
  }
  if (modules.length === 0) refuse("it has no lora_down or lora_A: it is no LoRA");
  const base = metadata.ss_base_model_version ?? metadata["modelspec.architecture"];
  return { modules, ...base === undefined ? {} : { base } };
}

function groupByModule(
  tensors: Iterable<IndexedTensor>,
  refuse: (why: string) => never,
): ReadonlyMap<string, Tensors> {
  const byModule = new Map<string, Tensors>();
  const others = new Map<string, string[]>();
  for (const tensor of tensors) {
    const kind = otherKind(tensor.name);
    const found = kind === undefined ? roleOf(tensor.name) : undefined;
    if (found) {
      const before = byModule.get(found.module) ?? {};
      const other = before[found.role];
      if (other) refuse(`${other.name} and ${tensor.name} are two spellings of one tensor`);
      byModule.set(found.module, { ...before, [found.role]: tensor });
    } else {
      const of = kind ?? "no LoRA";
      others.set(of, [...others.get(of) ?? [], tensor.name]);
    }
  }
  for (const [kind, names] of others) {
    const what = kind === "no LoRA"
      ? "are of no kind that is known"
      : `are of ${kind}, which is not built`;
    refuse(`${names.length} of its tensors ${what}: ${names.slice(0, MAX_NAMED).join(", ")}`);
  }
  return byModule;
}

async function numberOf(
  files: ModelFiles,
  tensor: IndexedTensor,
  refuse: (why: string) => never,
): Promise<number> {
  const values = await readFloats(files, tensor);
  return values ? values[0] : refuse(`${tensor.name} is ${tensor.dtype}, which is no number`);
}
