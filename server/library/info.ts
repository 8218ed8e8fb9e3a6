import { AppError } from "../../core/error.ts";
import { weightMemory } from "../../core/inference/mod.ts";
import { readLoneFile } from "../../core/checkpoint/mod.ts";
import {
  type CatalogueEntry,
  isPipelineBuilt,
  type ModelFiles,
  type NetworkFiles,
  readJson,
  readLayout,
} from "../../core/model/mod.ts";
import type { TensorIndex } from "../../core/safetensors/mod.ts";
import {
  inspectCheckpoint,
  inspectModel,
  knownEntry,
  type OpenModelOptions,
} from "../models/mod.ts";

/** Bytes of the weights in memory, as a host computes with them. */
interface WeightMemory {
  /** On the CPU, in WebAssembly, and on a GPU without float16. */
  readonly float32: number;
  /** On a GPU that computes in float16. */
  readonly float16: number;
}

/** One network of a model. */
export interface PartInfo {
  readonly part: string;
  /** As diffusers and transformers name it; "ONNX" where only an export is there. */
  readonly className: string;
  /** Bytes of its tensors by their type; of an ONNX file, all of them. */
  readonly bytes: Readonly<Record<string, number>>;
  readonly memory?: WeightMemory;
  /** Why it cannot be loaded. */
  readonly problem?: string;
}

/** A whole model. */
export interface ModelInfo {
  readonly kind: "model";
  readonly name: string;
  readonly entry?: Pick<CatalogueEntry, "id" | "name" | "family" | "licence" | "ran" | "notes">;
  readonly pipeline: string;
  /** False where its pipeline is not built. */
  readonly makesImages: boolean;
  readonly scheduler?: string;
  readonly parts: readonly PartInfo[];
  /** Bytes of the files that drawing needs. */
  readonly bytes: number;
  /** Undefined where a part has a problem. */
  readonly memory?: WeightMemory;
  readonly notices: readonly string[];
}

/** A file of something else than a model. */
export interface FileInfo {
  readonly kind: "file";
  readonly name: string;
  /** "it is a LoRA, ...". */
  readonly what: string;
  readonly tensors: number;
  /** Of its tensors by their type. */
  readonly bytes: Readonly<Record<string, number>>;
  /** What its writer noted. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type Info = ModelInfo | FileInfo;

/**
 * What there is at a source, by its headers and configurations alone.
 * @throws AppError as `openModel`.
 */
export async function infoOf(given: string, options: OpenModelOptions): Promise<Info> {
  const files = await inspectModel(given, options);
  const [path] = files.paths;
  if (files.paths.length > 1) return await modelInfo(files, knownEntry(given));
  const { tensors, metadata, otherKind: what } = await readLoneFile(files, path);
  if (what === undefined) {
    return await modelInfo(await inspectCheckpoint(files, options), knownEntry(given));
  }
  const bytes = bytesByType(tensors);
  return { kind: "file", name: files.name, what, tensors: tensors.size, bytes, metadata };
}

async function modelInfo(files: ModelFiles, entry?: CatalogueEntry): Promise<ModelInfo> {
  const { index, networks, paths } = await readLayout(files);
  const parts: PartInfo[] = [];
  for (const [part, network] of Object.entries(networks)) {
    parts.push(await partInfo(files, part, network));
  }
  const stored = paths.filter((path) => !files.derived?.includes(path));
  return {
    ...{ kind: "model", name: files.name, pipeline: index.className, parts },
    ...entry && { entry: factsOf(entry) },
    makesImages: isPipelineBuilt(index),
    scheduler: await schedulerOf(files),
    bytes: stored.reduce((sum, path) => sum + files.size(path), 0),
    memory: memoryOf(parts),
    notices: files.notices ?? [],
  };
}

function factsOf({ id, name, family, licence, ran, notes }: CatalogueEntry) {
  return { id, name, family, licence, ran, notes };
}

async function schedulerOf(files: ModelFiles): Promise<string | undefined> {
  const path = "scheduler/scheduler_config.json";
  if (!files.has(path)) return undefined;
  const { _class_name: name, prediction_type: prediction } = Object(await readJson(files, path));
  return prediction === undefined ? String(name) : `${name}, predicts ${prediction}`;
}

async function partInfo(
  files: ModelFiles,
  part: string,
  network: NetworkFiles,
): Promise<PartInfo> {
  const className = await classOf(files, network);
  const bytes = "graph" in network
    ? { ONNX: sizeOfGraph(files, network) }
    : bytesByType(network.tensors);
  try {
    const memory = {
      float32: await weightMemory(files, part, network, false),
      float16: await weightMemory(files, part, network, true),
    };
    return { part, className, bytes, memory };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "download_failed") throw error;
    return { part, className, bytes, problem: error.message };
  }
}

function sizeOfGraph(
  files: ModelFiles,
  { graph, external }: Extract<NetworkFiles, { graph: string }>,
): number {
  return external.reduce((sum, { path }) => sum + files.size(path), files.size(graph));
}

async function classOf(files: ModelFiles, network: NetworkFiles): Promise<string> {
  if ("graph" in network) return "ONNX";
  const { _class_name: own, architectures } = Object(await readJson(files, network.config));
  return String(own ?? Object(architectures)[0]);
}

function bytesByType(tensors: TensorIndex): Record<string, number> {
  const bytes: Record<string, number> = {};
  for (const { dtype, start, end } of tensors.values()) {
    bytes[dtype] = (bytes[dtype] ?? 0) + end - start;
  }
  return bytes;
}

function memoryOf(parts: readonly PartInfo[]): WeightMemory | undefined {
  const memories = parts.flatMap(({ memory }) => memory ?? []);
  if (memories.length < parts.length) return undefined;
  return {
    float32: memories.reduce((sum, { float32 }) => sum + float32, 0),
    float16: memories.reduce((sum, { float16 }) => sum + float16, 0),
  };
}
