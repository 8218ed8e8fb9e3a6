import { counted } from "../../core/counted.ts";
import { columns } from "./columns.ts";
import type { FileInfo, Info, ModelInfo, PartInfo } from "./info.ts";
import { byteSize } from "./quantity.ts";

/** For people. */
export function infoText(info: Info): string {
  return (info.kind === "file" ? fileLines(info) : modelLines(info)).join("\n");
}

function fileLines({ name, what, tensors, bytes, metadata }: FileInfo): string[] {
  return [
    `${name}: ${what}`,
    `${counted(tensors, "tensor")}, ${typesText(bytes)}`,
    ...NOTED.flatMap(([key, label]) => key in metadata ? [`${label}: ${metadata[key]}`] : []),
  ];
}

/** Notes of trainers that say what a file goes with. */
const NOTED = [
  ["ss_base_model_version", "Base model"],
  ["modelspec.architecture", "Architecture"],
  ["modelspec.title", "Title"],
  ["ss_network_dim", "Rank"],
  ["ss_network_alpha", "Alpha"],
] as const;

function modelLines(info: ModelInfo): string[] {
  const { name, pipeline, makesImages, scheduler, parts, bytes, memory, notices } = info;
  return [
    `${name}: ${pipeline}${scheduler === undefined ? "" : `, ${scheduler}`}`,
    ...entryLines(info),
    ...makesImages ? [] : ["No images can be made with it yet: its pipeline is not built"],
    "",
    ...columns([["part", "class", "weights"], ...parts.map(partCells)]),
    ...parts.flatMap(({ part, problem }) =>
      problem === undefined ? [] : ["", `${part} cannot be loaded: ${problem}`]
    ),
    "",
    `Files: ${byteSize(bytes)}`,
    ...memory
      ? [
        `Memory for weights: ${byteSize(memory.float16)} on a GPU with float16, ` +
        `${byteSize(memory.float32)} on other GPUs, on the CPU and in WebAssembly`,
      ]
      : [],
    ...notices,
  ];
}

function entryLines({ entry }: ModelInfo): string[] {
  if (!entry) return [];
  const { name, family, licence, ran, notes = [] } = entry;
  const seen = ran ? "" : "; only read of, never run here";
  return [`${name}, ${family}, ${licence}${seen}`, ...notes];
}

function partCells({ part, className, bytes }: PartInfo): string[] {
  return [part, className, typesText(bytes)];
}

function typesText(bytes: Readonly<Record<string, number>>): string {
  return Object.entries(bytes).map(([type, count]) => `${byteSize(count)} ${type}`).join(", ");
}
