import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { Command, Option } from "commander";
import { median } from "../../core/bench/mod.ts";
import { AppError } from "../../core/error.ts";
import { openableGraph, type Runtime, type Session, tensorFor } from "../../core/inference/mod.ts";
import { graphWeights, type ModelFiles, readLayout } from "../../core/model/mod.ts";
import { onnxNodes, ProtobufReader } from "../../core/onnx/mod.ts";
import { readFloats, readTensorIndex } from "../../core/safetensors/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { cpuRuntime } from "../compute/mod.ts";
import { type ChromeRuntime, chromeRuntime } from "./chrome_runtime.ts";
import { FolderFiles, openModel } from "../models/mod.ts";

const HELP = `
The export is of the same UNet, by test/full_size/export_unet.py, with what torch computes of it.
Both are run in turn in one process; memory is of a process that opens one of them alone,
with Chrome of this process. Kernels are counted in Chrome.

Example:
  deno run -A test/full_size/main.ts sd15-quarter q
  python3 test/full_size/export_unet.py q/unet q-export
  deno task bench models --model ./q --export ./q-export
`;

/** Whose graph of the network: written here, or by torch. */
const GRAPHS = ["ours", "export"] as const;
type GraphName = typeof GRAPHS[number];

interface ModelsFlags {
  readonly model: string;
  readonly export: string;
  readonly runs: string;
  readonly compute: "cpu" | "chrome";
  readonly only?: GraphName;
  readonly json: boolean;
}

export function modelsCommand(): Command {
  return new Command("models")
    .description("The UNet of a safetensors model, as a graph of our own and as torch exports it.")
    .requiredOption("--model <source>", "as for generate, in safetensors")
    .requiredOption("--export <folder>", "with model.onnx and io.safetensors")
    .option("--runs <n>", "network calls of each that are measured, after one to warm up", "5")
    .addOption(
      new Option("--compute <host>", "what computes").choices(["cpu", "chrome"]).default("cpu"),
    )
    .addOption(new Option("--only <graph>", "measure one of them alone").choices([...GRAPHS]))
    .option("--json", "print one JSON object", false)
    .addHelpText("after", HELP)
    .action(benchModels);
}

/** What one graph costs, and how far it is from torch. */
interface GraphFigures {
  /** Writing it; of an export, reading its weights' places. */
  readonly writeMs: number;
  /** Operations of a call, as the graph has them before onnxruntime joins some. */
  readonly nodes: number;
  readonly openMs: number;
  readonly firstMs: number;
  /** Median of a call, and all of them. */
  readonly callMs: number;
  readonly calls: readonly number[];
  /** The largest difference from torch over the largest magnitude of what torch computed. */
  readonly relative: number;
  /** Kernels of a call, where a GPU computes. */
  readonly dispatches?: number;
  /** Of a process with this graph alone: the most memory that was resident. */
  readonly peakBytes: number;
}

async function benchModels(flags: ModelsFlags): Promise<void> {
  const runs = wholeFlag("--runs", flags.runs, 1, 1000);
  const names = flags.only ? [flags.only] : GRAPHS;
  const peaks = new Map<GraphName, number>();
  // First: a process begins with the peak of the one that starts it.
  if (!flags.only && flags.compute === "cpu") {
    for (const name of names) peaks.set(name, await peakAlone(flags, name));
  }
  const figures = await measure(flags, names, runs);
  for (const [name, peakBytes] of peaks) figures[name] = { ...figures[name], peakBytes };
  console.log(flags.json ? JSON.stringify(figures) : table(figures));
}

interface OpenGraph {
  readonly session: Session;
  readonly figures: Pick<GraphFigures, "writeMs" | "nodes" | "openMs">;
  readonly times: number[];
  relative: number;
  dispatches?: number;
}

async function measure(
  flags: ModelsFlags,
  names: readonly GraphName[],
  runs: number,
): Promise<Record<string, GraphFigures>> {
  const io = await FolderFiles.open({ name: flags.export, location: flags.export });
  const recorded = await readRecorded(io);
  await using stack = new AsyncDisposableStack();
  const chrome = flags.compute === "chrome" ? stack.use(await chromeRuntime()) : undefined;
  const runtime = chrome ?? await cpuRuntime();
  const opened = new Map<GraphName, OpenGraph>();
  for (const name of names) opened.set(name, await open(name, flags, io, runtime));
  // In turn, so that whatever else the machine does is shared.
  for (let run = 0; run <= runs; run++) {
    for (const graph of opened.values()) await call(graph, recorded, chrome);
  }
  return Object.fromEntries(
    [...opened].map((
      [name, { figures, times: [firstMs, ...calls], relative, dispatches }],
    ) => [name, {
      ...{ ...figures, firstMs, callMs: median(calls), calls, relative, dispatches },
      peakBytes: peakOfThis(),
    }]),
  );
}

async function open(
  name: GraphName,
  flags: ModelsFlags,
  exported: ModelFiles,
  runtime: Runtime,
): Promise<OpenGraph> {
  const started = performance.now();
  const { files, graph } = name === "ours"
    ? await writtenUnet(flags.model, runtime)
    : { files: exported, graph: await exportedGraph(exported) };
  const written = performance.now();
  const session = await runtime.open(files, graph);
  const openMs = performance.now() - written;
  const nodes = await nodesOf(files, graph.graph);
  const figures = { writeMs: written - started, nodes, openMs };
  return { session, figures, times: [], relative: 0 };
}

async function nodesOf(files: ModelFiles, path: string): Promise<number> {
  const read = (start: number, end: number) => files.bytes(path, { start, end });
  const size = files.size(path);
  const reader = new ProtobufReader(
    ...[read, size] as const,
    (why) => new AppError("model_invalid", `Cannot count the nodes of ${path}: ${why}`),
  );
  let nodes = 0;
  for await (const _ of onnxNodes(reader, size)) nodes++;
  return nodes;
}

async function writtenUnet(model: string, runtime: Runtime) {
  const files = await openModel(model);
  const { networks } = await readLayout(files);
  return await openableGraph(runtime, files, "unet", networks.unet);
}

async function exportedGraph(files: ModelFiles) {
  return { graph: "model.onnx", ...await graphWeights(files, "model.onnx") };
}

type Recorded = ReadonlyMap<
  string,
  { readonly dims: readonly number[]; readonly values: Float32Array }
>;

async function readRecorded(files: ModelFiles): Promise<Recorded> {
  const recorded = new Map<string, { dims: readonly number[]; values: Float32Array }>();
  for (const tensor of (await readTensorIndex(files, "io.safetensors")).values()) {
    const values = await readFloats(files, tensor);
    if (values) recorded.set(tensor.name, { dims: tensor.shape, values });
  }
  return recorded;
}

async function call(
  graph: OpenGraph,
  recorded: Recorded,
  chrome: ChromeRuntime | undefined,
): Promise<void> {
  const of = (name: string) => {
    const found = recorded.get(name);
    if (found) return found;
    const why = `io.safetensors has no ${name}, which the graph asks for`;
    throw new AppError("model_invalid", `Cannot run the export: ${why}`);
  };
  const feeds = Object.fromEntries(graph.session.inputs.map((spec) => {
    const { dims, values } = of(`in/${spec.name}`);
    return [spec.name, tensorFor(spec, values, dims)];
  }));
  await chrome?.takeDispatches();
  const started = performance.now();
  const { out_sample: { data } } = await graph.session.run(feeds, ["out_sample"]);
  graph.times.push(performance.now() - started);
  graph.dispatches = await chrome?.takeDispatches();
  graph.relative = Math.max(
    graph.relative,
    differenceOf(data as Float32Array, of("out/out_sample").values),
  );
}

function differenceOf(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0) /
    largest;
}

/** In bytes; Linux and others count it in kibibytes. */
function peakOfThis(): number {
  return 1024 * process.resourceUsage().maxRSS;
}

/** Of this command in a process of its own. */
async function peakAlone({ model, export: folder }: ModelsFlags, name: GraphName): Promise<number> {
  const main = join(import.meta.dirname ?? ".", "../main.ts");
  const args = ["run", "-A", main, "bench", "models", "--only", name, "--runs", "1", "--json"];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, "--model", model, "--export", folder],
  );
  return JSON.parse(stdout)[name].peakBytes;
}

function table(figures: Readonly<Record<string, GraphFigures>>): string {
  const ms = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
  const rows = Object.entries(figures).map(([name, of]) => [
    ...[name, String(of.nodes), ms(of.writeMs), ms(of.openMs), ms(of.firstMs), ms(of.callMs)],
    ...[String(of.dispatches ?? "-"), `${Math.round(of.peakBytes / 1e6)} MB`],
    of.relative.toExponential(1),
  ]);
  const head = [
    "graph",
    "nodes",
    "written",
    "opened",
    "first call",
    "a call",
    "dispatches",
    "peak memory",
    "off torch",
  ];
  return [head, ...rows].map((row) => row.map((cell) => cell.padEnd(13)).join("").trimEnd())
    .join("\n");
}
