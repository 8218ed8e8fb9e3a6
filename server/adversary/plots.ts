import type { CheatFindings, ExaminedStep } from "../../core/adversary/mod.ts";

const [WIDTH, HEIGHT] = [320, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 10, 8, 28];
/** The largest value that a bar shows. */
const MAX_INCOME = 5;

/** What a histogram is of, on an axis of decades. */
interface Measure {
  readonly name: string;
  readonly value: (step: ExaminedStep) => number;
  /** Decades at the two ends; what is beyond is drawn at the end. */
  readonly low: number;
  readonly high: number;
}

const VELOCITY_ERROR: Measure = {
  name: "Velocity error, by step",
  value: ({ velocityError }) => velocityError,
  low: -6,
  high: 2,
};
/** Similarities of honest steps differ from 1 by a millionth and less. */
const DISSIMILARITY: Measure = {
  name: "1 - similarity, by step",
  value: ({ similarity }) => 1 - similarity,
  low: -11,
  high: 1,
};

/** Of every step a histogram of velocity errors, honest and cheated, and the tolerance. */
export function velocityHistogram(
  { sights }: CheatFindings,
  honest: readonly ExaminedStep[],
  steps: number,
): string {
  const limits = new Map(sights.map(({ index, tolerance }) => [index, tolerance]));
  const { x, y, width } = axesOf(VELOCITY_ERROR, steps);
  const lines = [...limits].sort(([a], [b]) => a - b).map(([index, tolerance]) =>
    `M${at(x(index))} ${at(y(tolerance))}h${at(width)}`
  );
  return histogram(VELOCITY_ERROR, sights, honest, steps, [
    `<path class="limit" d="${lines.join("")}"/>`,
  ]);
}

/** Of every step a histogram of 1 - similarity, honest and cheated. */
export function similarityHistogram(
  { sights }: CheatFindings,
  honest: readonly ExaminedStep[],
  steps: number,
): string {
  return histogram(DISSIMILARITY, sights, honest, steps, []);
}

/** Rows of a histogram. */
const BINS = 32;

interface Axes {
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
  /** Of one step. */
  readonly width: number;
}

function axesOf({ low, high }: Measure, steps: number): Axes {
  const width = (WIDTH - LEFT - RIGHT) / steps;
  return {
    width,
    x: (index) => LEFT + index * width,
    y: (value) => {
      const decade = Math.min(high, Math.max(low, Math.log10(value)));
      return TOP + (high - decade) / (high - low) * (HEIGHT - TOP - BOTTOM);
    },
  };
}

/** A column a step, a row a bin; the denser, the more of a step's errors are in it. */
function histogram(
  measure: Measure,
  sights: readonly ExaminedStep[],
  honest: readonly ExaminedStep[],
  steps: number,
  more: readonly string[],
): string {
  const { low, high } = measure;
  const { y } = axesOf(measure, steps);
  const middle = Math.round((low + high) / 2);
  return svg(measure.name, WIDTH, HEIGHT, [
    frame(),
    ...[low, middle, high].map((decade) =>
      label(LEFT - 6, Math.max(y(10 ** decade), TOP + 6) + 4, `1e${decade}`, "end")
    ),
    label(LEFT, HEIGHT - 8, "step 0"),
    label(WIDTH - RIGHT, HEIGHT - 8, String(steps - 1), "end"),
    cells("honest", honest, measure, steps),
    cells("ours", sights.filter(({ cheated }) => cheated), measure, steps),
    ...more,
  ]);
}

/** Shares of a step that are drawn apart, as parts of full colour. */
const SHADES = 4;

function cells(
  style: string,
  sights: readonly ExaminedStep[],
  measure: Measure,
  steps: number,
): string {
  const { x, width } = axesOf(measure, steps);
  const height = (HEIGHT - TOP - BOTTOM) / BINS;
  const paths = new Map<number, string[]>();
  for (const [index, own] of Map.groupBy(sights, (step) => step.index)) {
    for (const [bin, those] of Map.groupBy(own, (step) => binOf(measure.value(step), measure))) {
      const shade = Math.ceil(SHADES * those.length / own.length);
      const cell = `M${at(x(index))} ${at(TOP + bin * height)}h${at(width)}v${at(height)}h-${
        at(width)
      }z`;
      paths.set(shade, [...paths.get(shade) ?? [], cell]);
    }
  }
  return [...paths].map(([shade, parts]) =>
    `<path class="${style} cell" fill-opacity="${0.25 + 0.75 * shade / SHADES}" d="${
      parts.join("")
    }"/>`
  ).join("");
}

/** From the top. Evidence that was refused has no error, and is drawn at the top. */
function binOf(value: number, { low, high }: Measure): number {
  const decade = Number.isNaN(value) ? high : Math.log10(value);
  const share = (high - Math.min(high, Math.max(low, decade))) / (high - low);
  return Math.min(BINS - 1, Math.floor(share * BINS));
}

/** Both ROC curves. */
export function rocPlot({ roc }: CheatFindings): string {
  const x = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
  const y = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const path = (style: string, curve: CheatFindings["roc"]["ours"]) =>
    `<path class="${style}" d="M${
      curve.map((point) => `${at(x(point.falsePositives))} ${at(y(point.truePositives))}`).join("L")
    }"/>`;
  return svg("ROC curves of our check and of Subnet 30's rule", WIDTH, HEIGHT, [
    frame(),
    label(LEFT - 6, TOP + 10, "100 %", "end"),
    label(LEFT - 6, HEIGHT - BOTTOM, "0", "end"),
    label((LEFT + WIDTH) / 2, HEIGHT - 8, "honest steps flagged", "mid"),
    path("older", roc.older),
    path("ours", roc.ours),
  ]);
}

/** Two bars a practice: its income under our check and under Subnet 30's rule; a long one has a gap. */
export function profitBars(all: readonly CheatFindings[]): string {
  const [width, left, row] = [900, 260, 30];
  const height = all.length * row + 30;
  const x = (income: number) =>
    left + Math.min(income, MAX_INCOME) / MAX_INCOME * (width - left - 60);
  const bar = (style: string, income: number, y: number) =>
    `<rect class="${style}" x="${left}" y="${y}" width="${at(x(income) - left)}" height="10"/>` +
    (income > MAX_INCOME ? `<path class="cut" d="M${width - 84} ${y}h4l-4 10h-4z"/>` : "") +
    label(x(income) + 6, y + 9, income.toFixed(2));
  return svg("Income of each practice, honesty being 1", width, height, [
    // Below the figures that it crosses.
    `<line class="limit" x1="${at(x(1))}" x2="${at(x(1))}" y1="0" y2="${height - 22}"/>`,
    ...all.flatMap(({ name, income }, k) => [
      label(left - 10, k * row + 17, name, "end name"),
      bar("ours", income.ours, k * row + 3),
      bar("older", income.older, k * row + 14),
    ]),
    label(x(1), height - 6, "honest", "mid"),
  ]);
}

function svg(name: string, width: number, height: number, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}">${
    parts.join("")
  }</svg>`;
}

function frame(): string {
  return `<rect class="frame" x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${
    HEIGHT - TOP - BOTTOM
  }"/>`;
}

function label(x: number, y: number, text: string, style = ""): string {
  return `<text class="${style}" x="${at(x)}" y="${at(y)}">${text}</text>`;
}

function at(value: number): string {
  return value.toFixed(1);
}
