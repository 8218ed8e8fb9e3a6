/** Which part of all that was earned is whose. */
export interface CreatorShare {
  /** SS58 of a hotkey or a coldkey; other names are nobody's on the chain. */
  readonly creator: string;
  /** Above 0; of all shares together. */
  readonly share: number;
}

/**
 * What creators earned, by uid: at the creator's hotkey, or the first hotkey of their coldkey. Who has
 * none on the subnet has no weight: the payout ledger is for those.
 */
export function creatorScores(
  shares: readonly CreatorShare[],
  neurons: readonly { readonly hotkey: string; readonly coldkey?: string }[],
): number[] {
  const scores = neurons.map(() => 0);
  const uids = new Map<string, number>();
  for (const [uid, { coldkey }] of [...neurons.entries()].reverse()) {
    if (coldkey !== undefined) uids.set(coldkey, uid);
  }
  for (const [uid, { hotkey }] of neurons.entries()) uids.set(hotkey, uid);
  for (const { creator, share } of shares) {
    const uid = uids.get(creator);
    if (uid !== undefined && share > 0) scores[uid] += share;
  }
  return scores;
}

/**
 * Two kinds of scores as one, each kind by its part of 1: where one kind has none, the other has all.
 * @param share of the second kind, in [0, 1].
 */
export function blendScores(
  first: readonly number[],
  second: readonly number[],
  share: number,
): number[] {
  const [a, b] = [first, second].map((scores) => scores.reduce((sum, score) => sum + score, 0));
  if (a === 0 || b === 0) return (a === 0 ? second : first).slice();
  return first.map((score, uid) => (1 - share) * score / a + share * (second[uid] ?? 0) / b);
}
