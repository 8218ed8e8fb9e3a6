import { power } from "./portable_math.ts";

/**
 * The x at which the Beta(a, a) distribution has the share p below it.
 * @param p In [0, 1].
 * @param a Shape, positive; symmetric about one half.
 * @returns In [0, 1], to about 1e-14.
 */
export function betaQuantile(p: number, a: number): number {
  if (p <= 0 || p >= 1) return p <= 0 ? 0 : 1;
  if (p > 0.5) return 1 - betaQuantile(1 - p, a);
  const beta = completeBeta(a);
  let [low, high] = [0, 0.5];
  // The density's leading term, integrated and inverted: exact as p goes to 0.
  let x = Math.min(power(p * a * beta, 1 / a), 0.5);
  for (let i = 0; i < 100; i++) {
    const excess = lowerShare(x, a, beta) - p;
    if (excess > 0) high = x;
    else low = x;
    const newton = x - excess * beta / power(x * (1 - x), a - 1);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-16 * x) return next;
    x = next;
  }
  return x;
}

/** The share of Beta(a, a) below x <= 1/2, by its power series (hypergeometric, all terms known). */
function lowerShare(x: number, a: number, beta: number): number {
  let term = 1;
  let sum = 1 / a;
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    term *= x * (n - a) / n;
    sum += term / (a + n);
  }
  return power(x, a) * sum / beta;
}

/** B(a, a), from the same series at one half, where it is half of the whole. */
function completeBeta(a: number): number {
  return 2 * lowerShare(0.5, a, 1);
}
