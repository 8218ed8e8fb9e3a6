/** Hears what happens in a server. */
export type Log = (event: string, facts: Readonly<Record<string, unknown>>) => void;

/** A line of JSON for each event. */
export const logLine: Log = (event, facts) => console.error(eventLine(event, facts));

export function eventLine(event: string, facts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ time: new Date().toISOString(), event, ...facts });
}
