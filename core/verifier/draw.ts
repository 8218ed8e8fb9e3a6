import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";

/** A uniform 32-bit word at each call. */
export type WordSource = () => number;

/** @param randomBytes cryptographic, such as `crypto.getRandomValues`. */
export function privateWords(randomBytes: (count: number) => Uint8Array): WordSource {
  return () => {
    const bytes = randomBytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  };
}

/**
 * Words that nobody can choose and everybody can repeat. key = HMAC-SHA256(block hash, receipt id);
 * the words are those of HMAC-SHA256(key, j as u32) for j = 0, 1, ..., all big-endian.
 * @param blockHash of a block that was made after the receipt was in other hands.
 * @param receipt the receipt's id: 32 bytes in hex.
 */
export function publicWords(blockHash: Uint8Array, receipt: string): WordSource {
  const key = hmac(sha256, blockHash, hexToBytes(receipt));
  const counter = new DataView(new ArrayBuffer(4));
  let block = new DataView(new ArrayBuffer(0));
  let next = 0;
  return () => {
    if (next % 8 === 0) {
      counter.setUint32(0, next / 8);
      block = new DataView(hmac(sha256, key, new Uint8Array(counter.buffer)).buffer);
    }
    return block.getUint32(4 * (next++ % 8));
  };
}

/** A fair source is refused this often once in 2^1000 draws. */
const MAX_TRIES = 1000;

/**
 * Draws steps to open: all sets of `count` steps that hold one of the noisier half and one of the
 * other are equally likely. Where the number of steps is odd, one of them is left out at random
 * first, so that the halves are equal and each step is drawn with probability count / steps.
 * A single step is drawn from all. The rates of {@link catchRate} follow.
 * @returns ascending.
 * @throws AppError `challenge_invalid` when there are fewer steps than asked for, or the words are
 * not random.
 */
export function drawSteps(steps: number, count: number, words: WordSource): number[] {
  checkCount(steps, count);
  const all = Array.from({ length: steps }, (_, i) => i);
  if (count === steps) return all;
  if (count > 1 && steps % 2 === 1) all.splice(below(steps, words), 1);
  const middle = all[all.length / 2];
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const drawn = someOf(all, count, words);
    if (count === 1 || (drawn[0] < middle && drawn[count - 1] >= middle)) return drawn;
  }
  return refuse("the words are not random");
}

/** The last steps make the picture: one of them is always drawn where the draw is steered. */
export const LATE_STEPS = 5;

/**
 * Draws steps of a run that says which of its steps is the oddest: that one, one of the last five
 * others, and the rest from all that remain, each as likely as any other. Of two, the oddest and one
 * of all others; a single step is drawn from all.
 * @returns ascending.
 * @throws AppError `challenge_invalid` as {@link drawSteps}.
 */
export function drawSteered(
  steps: number,
  count: number,
  oddest: number,
  words: WordSource,
): number[] {
  checkCount(steps, count);
  if (count === 1 || count === steps) return drawSteps(steps, count, words);
  const others = Array.from({ length: steps }, (_, i) => i).filter((i) => i !== oddest);
  const late = lateOf(others, count);
  const taken = late.length ? [oddest, late[below(late.length, words)]] : [oddest];
  const rest = others.filter((i) => !taken.includes(i));
  return [...taken, ...someOf(rest, count - taken.length, words)].sort((a, b) => a - b);
}

function lateOf(others: readonly number[], count: number): readonly number[] {
  return count < 3 ? [] : others.slice(-LATE_STEPS);
}

/**
 * The exact probability that {@link drawSteered} draws one of the cheated steps.
 * @param cheated distinct steps.
 */
export function steeredCatchRate(
  steps: number,
  count: number,
  oddest: number,
  cheated: readonly number[],
): number {
  if (count === 1 || count >= steps) return catchRate(steps, count, cheated);
  checkCount(steps, count);
  if (cheated.includes(oddest)) return 1;
  const others = Array.from({ length: steps }, (_, i) => i).filter((i) => i !== oddest);
  const late = lateOf(others, count);
  const taken = late.length ? 2 : 1;
  const missesLate = late.length
    ? late.filter((i) => !cheated.includes(i)).length / late.length
    : 1;
  return 1 - missesLate * shareWithin(steps - taken - cheated.length, steps - taken, count - taken);
}

function checkCount(steps: number, count: number): void {
  if (!Number.isInteger(count) || !Number.isInteger(steps) || count < 1 || count > steps) {
    refuse(`count is ${count}, not one of 1 to ${steps}`);
  }
}

/** The first shuffles of Fisher and Yates, then sorted. */
function someOf(all: readonly number[], count: number, words: WordSource): number[] {
  const deck = [...all];
  for (let k = 0; k < count; k++) {
    const other = k + below(deck.length - k, words);
    [deck[k], deck[other]] = [deck[other], deck[k]];
  }
  return deck.slice(0, count).sort((a, b) => a - b);
}

/** Uniform in 0..n-1: words of the last, incomplete round of n are thrown away. */
function below(n: number, words: WordSource): number {
  const limit = 2 ** 32 - 2 ** 32 % n;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const word = words();
    if (word < limit) return word % n;
  }
  return refuse("the words are not random");
}

function refuse(why: string): never {
  throw new AppError("challenge_invalid", `Cannot draw steps: ${why}`);
}

/**
 * The exact probability that {@link drawSteps} draws one of the cheated steps.
 *
 * Plain sampling misses c of N steps with C(N-c,k) / C(N,k), wherever they are. No other draw of k
 * steps is as good for all placements: cheat at all but the steps of a set K of k, and only drawing
 * K misses; to be as good each K must be drawn with at most 1 / C(N,k), and as these add up to 1,
 * with exactly that, which is plain sampling. So a draw that is better for some is worse for others.
 *
 * With 3 of 30 drawn this one is better for cheats that keep to one half (the last 10 steps are
 * caught with 78.6% for 71.9%, the last 15 always, for 88.8%), and worse for those spread over
 * both, by at most 0.5 percentage points (3 steps: 27.8% for 28.0%; every second: 88.4% for
 * 88.8%). One step in each of three thirds would lose up to 1.5 points.
 * @param cheated distinct steps.
 */
export function catchRate(steps: number, count: number, cheated: readonly number[]): number {
  checkCount(steps, count);
  if (cheated.length === 0) return 0;
  if (count === steps) return 1;
  if (count === 1 || steps % 2 === 0) return 1 - missRate(steps, count, cheated);
  const rates = Array.from({ length: steps }, (_, out) => {
    const rest = cheated.filter((i) => i !== out).map((i) => i > out ? i - 1 : i);
    return missRate(steps - 1, count, rest);
  });
  return 1 - rates.reduce((sum, rate) => sum + rate, 0) / steps;
}

function missRate(steps: number, count: number, cheated: readonly number[]): number {
  const share = (n: number) => shareWithin(n, steps, count);
  if (count === 1) return share(steps - cheated.length);
  const half = steps / 2;
  const early = cheated.filter((i) => i < half).length;
  const late = cheated.length - early;
  const missed = share(steps - cheated.length) - share(half - early) - share(half - late);
  return missed / (1 - 2 * share(half));
}

/** Share of all sets of `count` that lie within n of the steps: C(n, count) / C(steps, count). */
function shareWithin(n: number, steps: number, count: number): number {
  let product = 1;
  for (let j = 0; j < count; j++) product *= Math.max(0, n - j) / (steps - j);
  return product;
}
