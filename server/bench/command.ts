import { readFile } from "node:fs/promises";
import process from "node:process";
import { Command, Option } from "commander";
import { AppError, reason } from "../../core/error.ts";
import {
  benchJobs,
  type BenchOptions,
  type BenchReport,
  compareReports,
  decodeReport,
  differentMachines,
  wantsLoops,
} from "../../core/bench/mod.ts";

import { Progress } from "../cli/mod.ts";
import { checkFree, checkWritable, writeAtomically } from "../storage/mod.ts";
import { agreementCommand } from "./agreement.ts";
import { chainCommand } from "./chain.ts";
import { clusterCommand } from "./cluster.ts";
import { frontCommand } from "./front.ts";
import { gatewayCommand } from "./gateway.ts";
import { BENCH_HOSTS, type BenchHost, benchHosts } from "./hosts.ts";
import { loopCommand } from "./loop.ts";
import { modelsCommand } from "./models.ts";
import { pageCommand } from "./page.ts";
import { pipelineCommand } from "./pipeline.ts";
import { proofCommand } from "./proof.ts";
import { reportPage } from "./report_page.ts";
import { roundCommand } from "./round.ts";
import { changesTable, reportTable } from "./table.ts";

const EXAMPLES = `
Examples:
  deno task bench
  deno task bench --filter "step 1024" --host native --all
  deno task bench --json before.json
  deno task bench --compare before.json --html bench.html
`;

const QUICK_SECONDS = 20;

interface BenchFlags {
  readonly filter?: string;
  readonly host: BenchHost;
  readonly model: string;
  readonly chromePath?: string;
  readonly quick: boolean;
  readonly all: boolean;
  readonly seconds: string;
  readonly json?: string;
  readonly html?: string;
  readonly compare?: string;
  readonly force: boolean;
}

export function benchCommand(): Command {
  return new Command("bench")
    .description(
      "Measure every GPU kernel against copies, CPU and ONNX, and the loop, in Deno and Chrome.",
    )
    .enablePositionalOptions()
    .option("--filter <text>", `only cases with this text in "<name> <size>"`)
    .addOption(
      new Option("--host <host>", "where to measure").choices([...BENCH_HOSTS]).default("both"),
    )
    .option("--model <source>", "whose denoising loop is measured, as for generate", "embedded")
    .option("--chrome-path <file>", "a Chrome or Chromium (default: CHROME_PATH, an installed one)")
    .option(
      "--seconds <n>",
      "to spend on each host, about: three rounds are run in any case",
      "150",
    )
    .option("--quick", "few and small sizes, about 20 s a host: a smoke test", false)
    .option("--all", "show every variant and what it is compared with", false)
    .option("--json <file>", "write the report with all samples")
    .option("--html <file>", "write the report as one page with plots")
    .option("--compare <file>", "show what got faster or slower since a report of --json")
    .option("--force", "replace files of --json and --html that are there", false)
    .addHelpText("after", EXAMPLES)
    .action(bench)
    .addCommand(pipelineCommand())
    .addCommand(modelsCommand())
    .addCommand(loopCommand())
    .addCommand(agreementCommand())
    .addCommand(proofCommand())
    .addCommand(frontCommand())
    .addCommand(gatewayCommand())
    .addCommand(roundCommand())
    .addCommand(chainCommand())
    .addCommand(clusterCommand())
    .addCommand(pageCommand());
}

async function bench(flags: BenchFlags): Promise<void> {
  using progress = new Progress({ quiet: false });
  const options = benchOptions(flags);
  const outputs = [flags.json, flags.html].flatMap((path) => path ?? []);
  await checkFree(outputs, flags.force);
  for (const path of outputs) await checkWritable(path);
  const older = flags.compare === undefined ? undefined : await readReport(flags.compare);
  const report = await benchHosts(flags.host, options, progress, flags);
  const changes = older ? compareReports(older, report) : [];
  console.log(reportTable(report, { all: flags.all }));
  if (older && flags.compare) {
    console.log(`\n${changesTable(changes, flags.compare)}`);
    for (const difference of differentMachines(older, report)) console.log(`  ${difference}`);
  }
  const encoder = new TextEncoder();
  if (flags.json) await writeAtomically(flags.json, encoder.encode(JSON.stringify(report)));
  if (flags.html) await writeAtomically(flags.html, encoder.encode(reportPage(report, changes)));
  if (report.hosts.some(({ rows }) => rows.some((row) => row.agrees === false))) {
    process.exitCode = 1;
  }
}

function benchOptions({ filter, quick, seconds: text }: BenchFlags): BenchOptions {
  const seconds = Number(text);
  if (!(seconds > 0)) {
    throw new AppError("invalid_request", `Cannot bench: --seconds is ${text}, no time above zero`);
  }
  const options = { filter, quick, seconds: quick ? Math.min(seconds, QUICK_SECONDS) : seconds };
  if (benchJobs(options).length || wantsLoops(options)) return options;
  const names = ["loop", ...benchJobs({ ...options, filter: "" })].join(", ");
  throw new AppError(
    "invalid_request",
    `Cannot bench: --filter is ${filter}, which none of these has in it: ${names}`,
  );
}

async function readReport(path: string): Promise<BenchReport> {
  try {
    return decodeReport(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new AppError("invalid_request", `Cannot compare with ${path}: ${reason(cause)}`, {
      cause,
    });
  }
}
