import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Report } from "../../../core/verify/mod.ts";

const HEIGHT = 240;
/** Below this nothing is to be seen on the axis. */
const LEAST = 1e-7;

/** Whole powers of ten have a label. */
function decade(tick: number | null): string {
  const power = Math.log10(tick ?? NaN);
  return Math.abs(power - Math.round(power)) < 1e-9 ? `1e${Math.round(power)}` : "";
}

/** Velocity error of each checked step against what an honest machine may have, on a log axis. */
export function ErrorPlot({ report }: { readonly report: Report }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const rows = report.steps.filter((row) => row.velocityError !== undefined);
    const style = getComputedStyle(element);
    const [text, line] = ["--faint", "--line"].map((name) => style.getPropertyValue(name));
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
    const plot = new uPlot({
      width: element.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false, range: [-0.5, report.of - 0.5] }, y: { distr: 3 } },
      axes: [
        { ...axis, label: "step", labelSize: 20 },
        { ...axis, size: 64, values: (_, ticks) => ticks.map(decade) },
      ],
      series: [
        { label: "step" },
        {
          label: "velocity error",
          stroke: style.getPropertyValue("--accent"),
          points: { size: 10, fill: style.getPropertyValue("--accent") },
          paths: () => null,
        },
        {
          label: "tolerance",
          stroke: style.getPropertyValue("--bad"),
          width: 2,
          dash: [6, 4],
          points: { size: 6 },
        },
      ],
    }, [
      rows.map(({ step }) => step),
      rows.map(({ velocityError }) => Math.max(LEAST, velocityError ?? 0)),
      rows.map(({ tolerance }) => tolerance ?? null),
    ], element);
    const resize = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT })
    );
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [report]);
  return (
    <div
      class="plot"
      ref={place}
      role="img"
      aria-label="Velocity error of each checked step against its tolerance"
    />
  );
}
