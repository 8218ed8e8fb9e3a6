import { formatMs, grouped } from "./format.ts";

export interface ChartPoint {
  /** Elements. */
  readonly x: number;
  /** Milliseconds: the median, and p10 and p90. */
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** A line of the chart. `name` is shown, `style` is a CSS class. */
export interface ChartSeries {
  readonly name: string;
  readonly style: string;
  readonly points: readonly ChartPoint[];
}

const WIDTH = 460;
const HEIGHT = 280;
const LEFT = 62;
const RIGHT = 36;
const TOP = 12;
const BOTTOM = 44;

type Scale = (value: number) => number;

/**
 * Time over elements, both logarithmic, with p10 to p90 as whiskers: inline SVG.
 * @param all what the axes have to reach: the series of every chart to be compared.
 */
export function chartSvg(
  label: string,
  series: readonly ChartSeries[],
  all: readonly ChartSeries[],
): string {
  const points = all.flatMap((line) => line.points);
  const xs = decades(points.map(({ x }) => x));
  const ys = decades(points.flatMap(({ low, high }) => [low, high]));
  const x = logScale(xs, LEFT, WIDTH - RIGHT);
  const y = logScale(ys, HEIGHT - BOTTOM, TOP);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">`,
    ...xs.map((value) => verticalLine(x(value), grouped(value))),
    ...ys.map((value) => horizontalLine(y(value), decadeName(value))),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${
      HEIGHT - 6
    }" class="axis middle">elements or pixels of a batch</text>`,
    ...series.map((line) => lineSvg(line, x, y)),
    "</svg>",
  ].join("");
}

/** Powers of ten from below the least to above the greatest. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: last - first + 1 }, (_, k) => 10 ** (first + k));
}

/** `10 us`: of a power of ten, in milliseconds. */
function decadeName(ms: number): string {
  const [unit, factor] = ms < 0.999e-3 ? ["ns", 1e6] : ms < 0.999 ? ["us", 1e3] : ["ms", 1];
  return ms > 999 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms * Number(factor))} ${unit}`;
}

function logScale(ticks: readonly number[], from: number, to: number): Scale {
  const first = Math.log10(ticks[0]);
  const last = Math.log10(ticks[ticks.length - 1]);
  return (value) => round(from + (to - from) * (Math.log10(value) - first) / (last - first));
}

function verticalLine(x: number, label: string): string {
  return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>` +
    `<text class="axis middle" x="${x}" y="${HEIGHT - BOTTOM + 18}">${label}</text>`;
}

function horizontalLine(y: number, label: string): string {
  return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
    `<text class="axis end" x="${LEFT - 6}" y="${y + 4}">${label}</text>`;
}

function lineSvg({ name, style, points }: ChartSeries, x: Scale, y: Scale): string {
  const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ");
  const marks = points.map((point) => {
    const at = x(point.x);
    const title = `${name}: ${grouped(point.x)} elements in ${formatMs(point.y)} ` +
      `(${formatMs(point.low)} to ${formatMs(point.high)})`;
    return `<line class="whisker" x1="${at}" x2="${at}" y1="${y(point.low)}" ` +
      `y2="${y(point.high)}"/><circle cx="${at}" cy="${y(point.y)}" r="3.5">` +
      `<title>${title}</title></circle>`;
  });
  return `<g class="${style}"><polyline points="${path}"/>${marks.join("")}</g>`;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
