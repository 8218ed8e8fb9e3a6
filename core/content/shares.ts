/** Whoever has earned something, and which part of all, in 10^9ths: whole numbers, so that all agree. */
export const WHOLE = 1_000_000_000n;

/**
 * Points as shares, rounded down; what is left over is nobody's.
 * @returns by falling share, then by name.
 */
export function sharesOf(
  points: Readonly<Record<string, number>>,
): readonly (readonly [name: string, share: bigint])[] {
  const all = Object.entries(points).filter(([, each]) => each > 0 && Number.isFinite(each));
  const total = all.toSorted(([a], [b]) => (a < b ? -1 : 1))
    .reduce((sum, [, each]) => sum + each, 0);
  return all.map(([name, each]) =>
    [name, BigInt(Math.floor(each / total * Number(WHOLE)))] as const
  )
    .filter(([, share]) => share > 0n)
    .toSorted(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x > y ? -1 : 1));
}
