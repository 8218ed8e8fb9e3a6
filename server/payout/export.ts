import { formatTao } from "./amount.ts";
import type { Payouts } from "./payouts.ts";

/** Payments and the trail, as JSON: amounts as text, in TAO. */
export function exported(payouts: Payouts): string {
  const payments = payouts.payments().map(({ rao, ...rest }) => ({ ...rest, tao: formatTao(rao) }));
  const trail = payouts.trail().map(({ at, ...rest }) => ({
    at: new Date(at).toISOString(),
    ...rest,
  }));
  return JSON.stringify({ payments, trail }, null, 2);
}
