import type { Log } from "./lines.ts";

type Write = (...parts: unknown[]) => void;

const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const SOURCE = /^\s*([A-Z][A-Z0-9/_-]*):$/;
/** Of the functions that stand in the console's place already. */
const captured = new WeakMap<Write, { log: Log }>();

/**
 * polkadot.js writes to the console by itself, such as each second while the chain is away, and has
 * no hook for it: its lines, which begin with a time and `API-WS:` or the like, go to the log at
 * `debug`. That the chain is lost or back are events of our own.
 */
export function captureChainLines(log: Log): void {
  for (const name of ["error", "warn", "log"] as const) {
    const before = captured.get(console[name]);
    if (before) before.log = log;
    else console[name] = captureInto({ log }, console[name].bind(console));
  }
}

function captureInto(to: { log: Log }, write: Write): Write {
  const capture: Write = (...parts) => {
    const [time, source, ...words] = parts;
    const from = SOURCE.exec(String(source))?.[1];
    if (from === undefined || !TIME.test(String(time))) return write(...parts);
    to.log("chain library", { from, words: words.map(String).join(" ") }, "debug");
  };
  captured.set(capture, to);
  return capture;
}
