/** Of a chart, in its own units. */
const [WIDTH, HEIGHT] = [300, 64];

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** A small line of values over time. @param from the least that its height begins at. */
export function Chart({ title, points, text, from = 0 }: {
  readonly title: string;
  readonly points: readonly Point[];
  /** A value in words. */
  readonly text: (value: number) => string;
  readonly from?: number;
}) {
  if (points.length === 0) return null;
  const last = points[points.length - 1];
  const values = points.map(({ value }) => value);
  const [least, most] = [Math.min(from, ...values), Math.max(...values)];
  return (
    <figure class="chart">
      <figcaption>
        <span class="small faint">{title}</span> <strong>{text(last.value)}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: from ${text(values[0])} to ${text(last.value)}, at most ${
          text(most)
        }`}
      >
        <path d={pathOf(points, least, most)} vector-effect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}

function pathOf(points: readonly Point[], least: number, most: number): string {
  const [begin, end] = [points[0].at, points[points.length - 1].at];
  const x = (at: number) => WIDTH * (at - begin) / (end - begin);
  const y = (value: number) => HEIGHT - 2 - (HEIGHT - 4) * (value - least) / (most - least || 1);
  // What is of one time has no course yet: a line across.
  if (end === begin) return `M0 ${y(points[points.length - 1].value)}H${WIDTH}`;
  return `M${
    points.map(({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("L")
  }`;
}
