/**
 * What a server says of itself: a line of JSON for each event, on standard error.
 *
 * ```ts
 * import { eventLine } from "./mod.ts";
 *
 * const { event, uid } = JSON.parse(eventLine("tested", { uid: 7 }));
 * console.assert(event === "tested" && uid === 7);
 * ```
 */
export { eventLine, type Log, logLine } from "./log.ts";
