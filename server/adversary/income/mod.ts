/** What ways to work earn in a simulated subnet: time that passes by itself, and machines. */
export { Machine } from "./machine.ts";
export { SimulatedClock } from "./simulated_clock.ts";
