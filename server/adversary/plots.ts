import type { CheatFindings, StepSight } from "../../core/adversary/mod.ts";

const [WIDTH, HEIGHT] = [320, 190];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 10, 8, 28];
/** Decades of the ratio to the tolerance that are drawn. */
const [LOW, HIGH] = [-4, 4];
/** The most that a bar shows. */
const MOST_INCOME = 5;

/** Ratio to the tolerance at each step: the cheat's steps before the honest ones. */
export function stepPlot(
  { sights }: CheatFindings,
  honest: readonly StepSight[],
  steps: number,
): string {
  const x = (index: number) => LEFT + (index + 0.5) / steps * (WIDTH - LEFT - RIGHT);
  const y = (ratio: number) => {
    const decade = Math.min(HIGH, Math.max(LOW, Math.log10(ratio)));
    return TOP + (HIGH - decade) / (HIGH - LOW) * (HEIGHT - TOP - BOTTOM);
  };
  const dot = (style: string, radius: number) => ({ index, ratio }: StepSight) =>
    `<circle class="${style}" cx="${at(x(index))}" cy="${at(y(ratio))}" r="${radius}"/>`;
  return svg("Velocity error over its tolerance, by step", WIDTH, HEIGHT, [
    frame(),
    ...[-4, -2, 0, 2, 4].map((decade) =>
      label(LEFT - 6, y(10 ** decade) + 4, `1e${decade}`, "end")
    ),
    label(LEFT, HEIGHT - 8, "step 0"),
    label(WIDTH - RIGHT, HEIGHT - 8, String(steps - 1), "end"),
    ...honest.map(dot("honest", 1.4)),
    ...sights.filter(({ cheated }) => cheated).map(dot("ours", 2.4)),
    `<line class="limit" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(1))}" y2="${at(y(1))}"/>`,
  ]);
}

/** Both ROC curves. */
export function rocPlot({ roc }: CheatFindings): string {
  const x = (share: number) => LEFT + share * (WIDTH - LEFT - RIGHT);
  const y = (share: number) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const path = (style: string, curve: CheatFindings["roc"]["ours"]) =>
    `<path class="${style}" d="M${
      curve.map((point) => `${at(x(point.falsePositives))} ${at(y(point.truePositives))}`).join("L")
    }"/>`;
  return svg("ROC curves of our check and of the older rule", WIDTH, HEIGHT, [
    frame(),
    label(LEFT - 6, TOP + 10, "100 %", "end"),
    label(LEFT - 6, HEIGHT - BOTTOM, "0", "end"),
    label((LEFT + WIDTH) / 2, HEIGHT - 8, "honest steps flagged", "mid"),
    path("older", roc.older),
    path("ours", roc.ours),
  ]);
}

/** Two bars a practice: its income under our check and under the older rule. */
export function profitBars(all: readonly CheatFindings[]): string {
  const [width, left, row] = [900, 260, 30];
  const height = all.length * row + 30;
  const x = (income: number) =>
    left + Math.min(income, MOST_INCOME) / MOST_INCOME * (width - left - 60);
  const bar = (style: string, income: number, y: number) =>
    `<rect class="${style}" x="${left}" y="${y}" width="${at(x(income) - left)}" height="10"/>` +
    label(x(income) + 6, y + 9, income.toFixed(2));
  return svg("Income of each practice, honesty being 1", width, height, [
    ...all.flatMap(({ name, income }, k) => [
      label(left - 10, k * row + 17, name, "end name"),
      bar("ours", income.ours, k * row + 3),
      bar("older", income.older, k * row + 14),
    ]),
    `<line class="limit" x1="${at(x(1))}" x2="${at(x(1))}" y1="0" y2="${height - 22}"/>`,
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
