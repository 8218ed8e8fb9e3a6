import type { Subnet, SubnetHour } from "../api/mod.ts";
import { Chart, type Point } from "./chart.tsx";

/** Miners whose weights are drawn. */
const MOST_MINERS = 6;

/** What was measured over time. */
export function Charts({ of: { hours, weights, miners } }: { readonly of: Subnet }) {
  const over = (value: (hour: SubnetHour) => number | undefined): Point[] =>
    hours.flatMap((hour) => {
      const found = value(hour);
      return found === undefined ? [] : [{ at: hour.at, value: found }];
    });
  const heaviest = miners.toSorted((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
  if (hours.length === 0 && weights.length < 2) return null;
  return (
    <>
      <h3>The last 48 hours</h3>
      <div class="charts">
        <Chart
          title="Images of users, an hour"
          points={over(({ images }) => images)}
          text={String}
        />
        <Chart title="Checks, an hour" points={over(({ checks }) => checks)} text={String} />
        <Chart
          title="Similarity of what was checked"
          points={over(({ similarity }) => similarity)}
          text={(value) => value.toFixed(5)}
          from={1}
        />
        {weights.length > 1 && heaviest.slice(0, MOST_MINERS).map(({ uid }) => (
          <Chart
            key={uid}
            title={`Weight of miner ${uid}`}
            points={weights.map(({ at, shares }) => ({ at, value: shares.get(uid) ?? 0 }))}
            text={(value) => `${(100 * value).toFixed(1)} %`}
          />
        ))}
      </div>
    </>
  );
}
