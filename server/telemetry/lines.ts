/** What is stated of an event. */
export type Facts = Readonly<Record<string, unknown>>;

/** From what interests only a developer to what an operator has to act upon. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

/**
 * Receives a server's events.
 * @param level `info` unless it is given.
 */
export type Log = (event: string, facts: Facts, level?: LogLevel) => void;

/** One event, as LogTape hands it to a sink. */
export interface EventRecord {
  readonly level: string;
  readonly rawMessage: string | TemplateStringsArray;
  readonly properties: Facts;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** `{"time":"...","level":"info","event":"weights set","block":12}` */
export function jsonLine({ level, rawMessage, properties, timestamp }: EventRecord): string {
  const time = new Date(timestamp).toISOString();
  return hideTokens(
    JSON.stringify({
      time,
      level: nameOf(level),
      event: String(rawMessage),
      ...withoutSecrets(properties),
    }),
  );
}

/** `2026-11-27 16:20:03 INFO  weights set  block=12`, in UTC. */
export function textLine({ level, rawMessage, properties, timestamp }: EventRecord): string {
  const time = new Date(timestamp).toISOString().slice(0, 19).replace("T", " ");
  const facts = Object.entries(withoutSecrets(properties))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const words = [String(rawMessage), ...facts].join("  ");
  return hideTokens(`${time} ${nameOf(level).toUpperCase().padEnd(5)} ${words}`);
}

function nameOf(level: string): string {
  return level === "warning" ? "warn" : level;
}

function textOf(value: unknown): string {
  return typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

const SECRET = /secret|password|phrase|mnemonic|token|authorization|api.?key|signing.?seed/i;

/** No event should have a secret; a fact with the name of one is left out all the same. */
function withoutSecrets(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, SECRET.test(name) ? "[hidden]" : value]),
  );
}

/** Tokens that are in an address or a header which an error quotes. */
function hideTokens(line: string): string {
  return line.replaceAll(/([?&]token=|\bBearer +)[^\s"&]+/gi, "$1[hidden]");
}
