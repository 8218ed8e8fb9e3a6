/**
 * `deno task adversary income`: what ways to work earn in a simulated subnet. The validator's own loops,
 * ledger and weights (`income.ts`) run over simulated miners (`strategies.ts`), in time that passes by
 * itself (`simulated_clock.ts`).
 */
export { incomeCommand } from "./command.ts";
export { type Earned, simulateIncome } from "./income.ts";
export { Machine } from "./machine.ts";
export { SimulatedClock } from "./simulated_clock.ts";
export { STRATEGIES, type Strategy } from "./strategies.ts";
