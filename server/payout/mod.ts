/**
 * Payouts to creators who have no hotkey: a double-entry ledger in whole rao, statements, and transfers in
 * batches that a crash neither loses nor doubles.
 *
 * ```ts
 * import { Payouts } from "./mod.ts";
 *
 * using payouts = new Payouts(":memory:");
 * payouts.register("mara", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "operator");
 * payouts.earn("mara", 1_500_000_000n, "epoch 7");
 * payouts.earn("mara", 1_500_000_000n, "epoch 7"); // Once by its name.
 * console.assert(payouts.preview(1_000_000_000n)[0].rao === 1_500_000_000n);
 * ```
 */
export { parseTao } from "./amount.ts";
export { payoutCommand } from "./command.ts";
export {
  type Due,
  type Payment,
  type PayoutChain,
  Payouts,
  type StatementLine,
} from "./payouts.ts";
