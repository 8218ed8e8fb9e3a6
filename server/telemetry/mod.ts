/**
 * A server's log: one for everything, with levels, as text or as lines of JSON,
 * and without secrets. Its traces, by OpenTelemetry. Metrics are in `server/neuron/metrics.ts`.
 *
 * ```ts
 * import { startLog, withUids } from "./mod.ts";
 *
 * const log = withUids(startLog({ format: "text", level: "warn" }), () => 7);
 * log("tested", { hotkey: "5Grw" }); // below the level: not written
 * log("weights not set", { hotkey: "5Grw", error: "no permit" }, "warn");
 * // 2026-11-27 16:20:03 WARN  weights not set  uid=7  hotkey=5Grw  error="no permit"
 * ```
 */
export { jsonLine, type Log, LOG_LEVELS, type LogLevel } from "./lines.ts";
export { LOG_FORMATS, type LogFormat, type LogOptions, startLog } from "./log.ts";
export { OnChange } from "./on_change.ts";
export { withUids } from "./with_uids.ts";
export { traced, traceOf, type TraceParent, traceParent } from "./trace.ts";
