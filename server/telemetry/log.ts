import { configureSync, getLogger, type LogLevel as TapeLevel } from "@logtape/logtape";
import process from "node:process";
import { captureChainLines } from "./chain_lines.ts";
import { jsonLine, type Log, type LogLevel, textLine } from "./lines.ts";

export const LOG_FORMATS = ["json", "text"] as const;
export type LogFormat = typeof LOG_FORMATS[number];

export interface LogOptions {
  /** Default: text where standard error is a terminal, JSON lines elsewhere. */
  readonly format?: LogFormat;
  /** The lowest that is written; default: `info`. */
  readonly level?: LogLevel;
}

const CATEGORY = "stepwise";
const TAPE_LEVELS: Readonly<Record<LogLevel, TapeLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
};

/**
 * Starts this process's log: a line an event, on standard error. What polkadot.js writes to the
 * console goes through it too, at `debug`.
 */
export function startLog({ format, level = "info" }: LogOptions = {}): Log {
  const text = format === undefined ? process.stderr.isTTY === true : format === "text";
  const line = text ? textLine : jsonLine;
  configureSync({
    reset: true,
    sinks: { stderr: (record) => console.error(line(record)) },
    loggers: [
      { category: CATEGORY, sinks: ["stderr"], lowestLevel: TAPE_LEVELS[level] },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
  const logger = getLogger(CATEGORY);
  const log: Log = (event, facts, level = "info") => logger[level](event, { ...facts });
  captureChainLines(log);
  return log;
}
