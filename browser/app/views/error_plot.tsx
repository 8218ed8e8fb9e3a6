import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Report } from "../../../core/verifier/mod.ts";

const HEIGHT = 260;
/** The axis shows nothing below this. */
const MIN = 1e-7;

/** Of the ticks of a log axis, the whole powers of ten. */
function decades(_: uPlot, ticks: readonly number[]): (number | null)[] {
  return ticks.map((tick) =>
    Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9 ? tick : null
  );
}

/** From a power of ten to another, with a little room at either end. */
function wholeDecades(_: uPlot, min: number, max: number): [number, number] {
  return [10 ** Math.floor(Math.log10(min) - 0.1), 10 ** Math.ceil(Math.log10(max) + 0.1)];
}

/** Whether the reader prefers a dark page, also when they change that. */
function useDark(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const change = () => setDark(query.matches);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, []);
  return dark;
}

/**
 * Velocity error of each checked step against what an honest machine may have, on a log axis, and
 * its similarity on an axis of its own.
 */
export function ErrorPlot({ report }: { readonly report: Report }) {
  const place = useRef<HTMLDivElement>(null);
  const dark = useDark();
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const plot = plotOf(report, element);
    const resize = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT })
    );
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [report, dark]);
  return (
    <div
      class="plot"
      ref={place}
      role="img"
      aria-label={"Velocity error of each checked step against its tolerance, and its similarity; " +
        "the table below has the figures"}
    />
  );
}

function plotOf(report: Report, element: HTMLElement): uPlot {
  const rows = report.steps.filter((row) => row.velocityError !== undefined);
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name);
  const axis = {
    stroke: colour("--faint"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line") },
  };
  const points = (name: string, size: number) => ({
    ...{ stroke: colour(name), paths: () => null },
    points: { show: true, size, fill: colour(name), stroke: colour(name) },
  });
  const lowest = Math.min(0, ...rows.map(({ similarity }) => similarity ?? 0));
  return new uPlot({
    ...{ width: element.clientWidth, height: HEIGHT, legend: { live: false } },
    scales: {
      x: { time: false, range: [-0.5, report.of - 0.5] },
      y: { distr: 3, range: wholeDecades },
      similarity: { range: [lowest, 1.05] },
    },
    axes: [
      { ...axis, label: "step", labelSize: 20, incrs: [1, 2, 5, 10, 20, 50, 100, 200] },
      {
        ...{ ...axis, size: 64, filter: decades },
        grid: { ...axis.grid, filter: decades },
        ticks: { ...axis.ticks, filter: decades },
        values: (_, ticks) =>
          ticks.map((tick) => tick === null ? "" : `1e${Math.round(Math.log10(tick))}`),
      },
      { ...axis, scale: "similarity", side: 1, size: 48, grid: { show: false } },
    ],
    series: [
      { label: "step" },
      { label: "velocity error", ...points("--accent", 10) },
      {
        ...{ label: "tolerance", stroke: colour("--bad"), width: 2, dash: [6, 4] },
        points: { show: true, size: 6, stroke: colour("--bad") },
      },
      { label: "similarity (right)", scale: "similarity", ...points("--other", 7) },
    ],
  }, [
    rows.map(({ step }) => step),
    rows.map(({ velocityError }) => Math.max(MIN, velocityError ?? 0)),
    rows.map(({ tolerance }) => tolerance ?? null),
    rows.map(({ similarity }) => similarity ?? null),
  ], element);
}
