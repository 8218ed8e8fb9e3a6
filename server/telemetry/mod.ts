export { eventLine, type Log, logLine } from "./log.ts";
