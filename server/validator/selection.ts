/** Uniform in [0, 1). */
export type Random = () => number;

/** A miner and what it is worth. */
export interface Ranked<T> {
  readonly peer: T;
  readonly reward: number;
  readonly cheated: boolean;
}

/**
 * Draws miners for a user's request without putting any back: of n the best has n chances, the next
 * n - 1, the last one, so that a new miner is seen too. A cheater is asked only when no other
 * is left.
 */
export function drawByRank<T>(all: readonly Ranked<T>[], count: number, random: Random): T[] {
  const sound = all.filter(({ cheated }) => !cheated);
  const rest = (sound.length > 0 ? sound : all).toSorted((a, b) => b.reward - a.reward);
  const drawn: T[] = [];
  while (drawn.length < count && rest.length > 0) {
    const at = drawIndex(rest.map((_, k) => rest.length - k), random);
    drawn.push(rest.splice(at, 1)[0].peer);
  }
  return drawn;
}

/** One of them, each equally likely. */
export function oneOf<T>(all: readonly T[], random: Random): T {
  return all[Math.floor(random() * all.length)];
}

/** So many of them, each equally likely. */
export function sample<T>(all: readonly T[], count: number, random: Random): T[] {
  const rest = [...all];
  const drawn: T[] = [];
  while (drawn.length < count && rest.length > 0) {
    drawn.push(rest.splice(Math.floor(random() * rest.length), 1)[0]);
  }
  return drawn;
}

/** An index with the probability of its weight; uniform where all are 0. */
function drawIndex(weights: readonly number[], random: Random): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) return Math.floor(random() * weights.length);
  let left = random() * total;
  const at = weights.findIndex((weight) => (left -= weight) < 0);
  return at < 0 ? weights.length - 1 : at;
}
