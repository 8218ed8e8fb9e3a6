import type { Log } from "./lines.ts";

/** A log that adds the uid of the hotkey that an event is about, for those that have one. */
export function withUids(log: Log, uidOf: (hotkey: string) => number | undefined): Log {
  return (event, facts, level) => {
    const hotkey = facts.hotkey ?? facts.caller ?? facts.for;
    const uid = facts.uid ?? (typeof hotkey === "string" ? uidOf(hotkey) : undefined);
    log(event, uid === undefined ? facts : { uid, ...facts }, level);
  };
}
