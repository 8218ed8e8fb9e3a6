import { counted } from "../../core/counted.ts";
import type { Report } from "../../core/verifier/mod.ts";

const LEVELS = [
  "receipt and proofs",
  "receipt, proofs and arithmetic",
  "receipt, proofs, arithmetic and network",
  "receipt, proofs, arithmetic, network and image",
];

/** A report for people. */
export function reportText(report: Report): string {
  return [
    `Receipt ${report.receipt}`,
    `Model ${report.model.id} in ${report.model.precision}, signed by ${report.miner}`,
    levelLine(report),
    "",
    ...startLine(report),
    ...stepTable(report),
    ...sourceLine(report),
    ...parentLine(report),
    ...imageLine(report),
    "",
    costLine(report),
    verdictLine(report),
  ].join("\n").replace(/\n{3,}/g, "\n\n");
}

function levelLine({ level, asked, verdict }: Report): string {
  const stopped = verdict === "invalid" ? " (stopped at the first that does not hold)" : "";
  const of = level === asked ? "" : ` of ${asked} asked for`;
  return `Level ${level}${of}: ${LEVELS[level]}${stopped}`;
}

function startLine({ start, source }: Report): string[] {
  if (!start) return [];
  const { differing, outside } = start;
  const differ = `${counted(differing, "value")} ${differing === 1 ? "differs" : "differ"}`;
  const what = source === undefined ? "the seed's noise" : "the source and the seed's noise";
  return [`Start: ${what}; ${differ} from it, ${outside} by more than rounding`];
}

function stepTable(
  { steps, of, code, tolerances, meaning, drawnBy }: Report,
): string[] {
  if (code !== undefined) return [];
  if (steps.length === 0) return ["No step was opened: this shows who signed what, and no more"];
  const rows = steps.map((row) => [
    String(row.step),
    short(row.noise ?? Infinity),
    String(row.differing ?? "-"),
    String(row.outside ?? "-"),
    row.similarity?.toFixed(6) ?? "-",
    short(row.velocityError),
    short(row.tolerance),
    row.latentCosine?.toFixed(6) ?? "-",
  ]);
  const judged = steps.some((row) => row.tolerance !== undefined);
  return [
    ...aligned([HEAD, ...rows]),
    `${steps.length} of ${counted(of, "step")}, ${drawnBy}` +
    (judged ? `; ${tolerances} tolerances` : ""),
    ...meaning === undefined ? [] : [meaning],
  ];
}

const HEAD = [
  "step",
  "noise",
  "differing",
  "outside",
  "similarity",
  "velocity error",
  "tolerance",
  "latent cosine",
];

function short(value: number | undefined): string {
  if (value === undefined) return "-";
  return Number.isFinite(value) ? value.toPrecision(3) : String(value);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, k) => cell.padStart(widths[k])).join("  "));
}

function sourceLine({ source, level }: Report): string[] {
  if (source === undefined) return [];
  if (source === null) {
    const how = level < 3 ? "" : ": give it with --source";
    return [`Source: the image that the run started from was not compared${how}`];
  }
  const { error, tolerance, maskDiffering } = source;
  return [
    `Source: ${short(error)} from what the VAE makes of the image, at most ${tolerance}; ` +
    `${counted(maskDiffering, "value")} of the mask ${maskDiffering === 1 ? "differs" : "differ"}`,
  ];
}

function parentLine({ parent, level }: Report): string[] {
  if (parent === undefined) return [];
  if (parent === null) {
    const how = level < 3 ? "" : ": give its receipt and image, and the source";
    return [`Parent: the image that this goes on from was not compared${how}`];
  }
  const { receipt, parent: next, upscaler, image } = parent;
  const from = next === undefined ? "" : `, which goes on from ${next}`;
  if (!image) return [`Parent: ${receipt}, whose image is the source${from}`];
  return [
    `Parent: ${receipt}${from}`,
    `Source against its image, enlarged by ${upscaler}: ${likeness(image)}`,
  ];
}

function imageLine({ image }: Report): string[] {
  return image ? [`Image against the decoded x_N, encoded alike: ${likeness(image)}`] : [];
}

function likeness({ tile, ...image }: Omit<NonNullable<Report["image"]>, "bytes">): string {
  const text = ({ psnr, floor }: { readonly psnr: number | null; readonly floor: number }) =>
    `${psnr === null ? "equal" : `${psnr.toFixed(1)} dB`} (at least ${floor.toFixed(1)})`;
  return `${text(image)}${tile ? `, its worst tile ${text(tile)}` : ""}`;
}

function costLine({ cost, of }: Report): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  const network = cost.evaluations === 0
    ? "no network call"
    : `${cost.evaluations} of ${counted(of, "step")} through the ` +
      `network (${(100 * cost.share).toFixed(1)}% of the generation's) in ` +
      `${seconds(cost.networkMs)}, ${seconds(cost.loadMs)} to load the model`;
  const openings = counted(cost.openings, "opening");
  return `Cost: ${openings}, ${cost.bytes.toLocaleString("en-US")} bytes in all, in ` +
    `${seconds(cost.openingMs)}; ` +
    `${network}; ${seconds(cost.totalMs)} in all`;
}

function verdictLine(report: Report): string {
  const { verdict, code, reasons, similarity, worst, opened } = report;
  const numbers = similarity === undefined || worst === undefined
    ? ""
    : `, similarity ${similarity.toFixed(6)}, worst error ${worst.toPrecision(3)} x tolerance`;
  const signed = verdict === "honest" && opened.length === 0;
  const withheld = code === "opening_withheld";
  const what = verdict +
    (signed ? ", as far as signed" : withheld ? ", since it was not opened" : "");
  return [`Verdict: ${what}${numbers}`, ...reasons.map((reason) => `  ${reason}`), meaning(report)]
    .join("\n");
}

/** What a verdict says of the image, for who reads no further. */
function meaning({ verdict, code, level, opened }: Report): string {
  if (code === "opening_withheld") return "Who made the image does not show how.";
  switch (verdict) {
    case "suspect":
      return "The image is further from what was signed than honest machines make it.";
    case "invalid":
      return "What was signed does not hold.";
    case "honest":
      return opened.length === 0
        ? "The receipt is its signer's; how the image was made was not looked at."
        : HOLDS[level];
    default:
      verdict satisfies never;
      return "";
  }
}

const HOLDS = [
  "What was opened is what was signed.",
  "Each step that was opened follows from the one before it as the plan says.",
  "Each step that was opened is what the model makes of the one before it.",
  "The image is what the model makes of its prompt and seed, as far as steps were opened.",
] as const;
