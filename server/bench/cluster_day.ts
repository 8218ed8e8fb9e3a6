import { Command } from "commander";
import { numberFlag, wholeFlag } from "../cli/mod.ts";
import { LocalQueue, type Work, WORK_OPTIONS } from "../cluster/mod.ts";

interface DayFlags {
  readonly images: string;
  readonly gpus: string;
  readonly batch: string;
  readonly seconds: string;
  readonly dying: string;
  readonly json: boolean;
}

/** What is simulated. */
export interface Day {
  /** Asked for in 24 hours. */
  readonly images: number;
  /** From midnight on, of which there are requests. */
  readonly hours: number;
  readonly gpus: number;
  /** Images that a GPU makes together, in so many seconds. */
  readonly batch: number;
  readonly seconds: number;
  /** Of all workers, in an hour; each is back after ten minutes. */
  readonly dying: number;
}

export interface DayReport {
  readonly asked: number;
  readonly made: number;
  readonly lost: number;
  /** Made twice, since a worker died after the first. */
  readonly twice: number;
  readonly deaths: number;
  /** Seconds from the request to a worker that finishes it. */
  readonly wait: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Requests a second, in the busiest minute. */
  readonly peak: number;
}

const TICK_MS = 50;
const MINUTE_TICKS = 60_000 / TICK_MS;
const DAY_MS = 24 * 3600 * 1000;
/** A dead worker is back after ten minutes. */
const BACK_MS = 600_000;
/** What is not made six hours after the end is lost. */
const LATE_TICKS = 6 * 60 * MINUTE_TICKS;
const BODY = new Uint8Array();

export function dayCommand(): Command {
  return new Command("day")
    .description("A day of a popular application through the queue, simulated.")
    .option("--images <n>", "asked for in the day", "5000000")
    .option("--gpus <n>", "workers", "100")
    .option("--batch <n>", "images that a GPU makes together", "4")
    .option("--seconds <s>", "that it takes for them", "2")
    .option("--dying <share>", "of the workers, in an hour", "0.05")
    .option("--json", "print one JSON object", false)
    .action(async (flags: DayFlags) => {
      const report = await simulateDay({
        hours: 24,
        images: wholeFlag("--images", flags.images, 1, 1e8),
        gpus: wholeFlag("--gpus", flags.gpus, 1, 10_000),
        batch: wholeFlag("--batch", flags.batch, 1, 64),
        seconds: numberFlag("--seconds", flags.seconds, 0.1, 3600),
        dying: numberFlag("--dying", flags.dying, 0, 1),
      });
      console.log(flags.json ? JSON.stringify(report) : reportOf(report));
    });
}

/** A GPU of the simulation. */
interface Gpu {
  work: readonly Work[];
  /** The tick in which it is free, or back. */
  due: number;
  dead: boolean;
}

/** Runs a day in simulated time through the queue of one process, whose rules are JetStream's too. */
export async function simulateDay(day: Day, seed = 1): Promise<DayReport> {
  const random = generator(seed);
  const end = day.hours * 3_600_000 / TICK_MS;
  let tick = 0;
  const queue = new LocalQueue({ ...WORK_OPTIONS, limit: Infinity }, () => tick * TICK_MS);
  const gpus: Gpu[] = Array.from({ length: day.gpus }, () => ({ work: [], due: 0, dead: false }));
  const idle = new Set(gpus);
  const calendar = new Map<number, Gpu[]>();
  const wake = (gpu: Gpu, ticks: number) => {
    gpu.due = tick + Math.round(ticks);
    calendar.set(gpu.due, [...calendar.get(gpu.due) ?? [], gpu]);
  };
  const [askedAt, waits] = [new Map<string, number>(), [] as number[]];
  const count = { asked: 0, twice: 0, deaths: 0, peak: 0, minute: 0 };
  const ask = async () => {
    const id = String(count.asked++);
    askedAt.set(id, tick);
    count.minute++;
    await queue.add("day", id, BODY);
  };
  const finish = async (gpu: Gpu) => {
    for (const work of gpu.work) {
      const since = askedAt.get(work.id);
      if (since === undefined) count.twice++;
      else waits.push((tick - since) * TICK_MS / 1000);
      askedAt.delete(work.id);
      await work.done();
    }
    Object.assign(gpu, { work: [], dead: false });
    idle.add(gpu);
  };
  const die = (gpu: Gpu) => {
    if (gpu.dead) return;
    count.deaths++;
    idle.delete(gpu);
    Object.assign(gpu, { work: [], dead: true });
    wake(gpu, BACK_MS / TICK_MS);
  };
  const take = async () => {
    for (const gpu of idle) {
      gpu.work = await queue.take("day", day.batch, { waitMs: 0 });
      if (gpu.work.length === 0) return;
      idle.delete(gpu);
      wake(gpu, 1000 * day.seconds / TICK_MS);
    }
  };
  for (; tick < end || (askedAt.size > 0 && tick < end + LATE_TICKS); tick++) {
    if (tick % MINUTE_TICKS === 0) {
      count.peak = Math.max(count.peak, count.minute / 60);
      count.minute = 0;
    }
    for (let k = tick < end ? poisson(askedIn(day, tick), random) : 0; k > 0; k--) await ask();
    for (const gpu of calendar.get(tick) ?? []) if (gpu.due === tick) await finish(gpu);
    calendar.delete(tick);
    const dying = poisson(day.gpus * day.dying * TICK_MS / 3_600_000, random);
    for (let k = 0; k < dying; k++) die(gpus[Math.floor(random() * gpus.length)]);
    await take();
  }
  return { ...count, made: waits.length, lost: askedAt.size, wait: quantilesOf(waits) };
}

function quantilesOf(waits: readonly number[]): DayReport["wait"] {
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Requests to be expected in a tick. */
function askedIn({ images }: Day, tick: number): number {
  return rateAt(tick * TICK_MS) * images * TICK_MS / DAY_MS;
}

/** Of the average: a long evening peak of 3.5 times, a night of about a half; 1 over the day. */
function rateAt(ms: number): number {
  const hour = ms / 3_600_000;
  const [evening, width, night] = [20, 2, 0.55];
  const share = night + 2.9 * Math.exp(-(((hour - evening) / width) ** 2));
  return share / AVERAGE;
}

/** Of the shape above, by its sum over minutes. */
const AVERAGE = (() => {
  let sum = 0;
  for (let k = 0; k < 1440; k++) sum += 0.55 + 2.9 * Math.exp(-(((k / 60 - 20) / 2) ** 2));
  return sum / 1440;
})();

/** Knuth's method: for the small numbers of a tick. */
function poisson(expected: number, random: () => number): number {
  const limit = Math.exp(-expected);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Mulberry32: the same day for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function reportOf({ asked, made, lost, twice, deaths, wait, peak }: DayReport): string {
  return `asked for ${asked}, ${peak.toFixed(0)} a second in the busiest minute; made ${made}
lost ${lost}; made twice ${twice}; workers died ${deaths} times
wait: ${wait.p50.toFixed(1)} s in the median, ${wait.p99.toFixed(1)} s at 99 %, at most ${
    wait.max.toFixed(1)
  } s`;
}
