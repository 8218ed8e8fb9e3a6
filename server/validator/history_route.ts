import { cors } from "hono/cors";
import { PATHS } from "../../core/protocol/mod.ts";
import { type Route, route } from "../http/mod.ts";
import type { History, Ledger } from "./ledger/mod.ts";

/** Milliseconds for which an answer is given again: it reads all that was measured in two days. */
const CACHED_MS = 60_000;

/** A subnet's last days, for whoever wants to look. */
export function historyRoute(
  ledger: Pick<Ledger, "history">,
  now: () => number = Date.now,
): Route {
  let known: { readonly history: History; readonly at: number } | undefined;
  return route({
    ...{ method: "get", path: PATHS.history, auth: "open", answer: "History", errors: [] },
    summary: "The last 48 hours, by hours: images, checks and their mean similarity; and the " +
      "weights that were set, the oldest first. Anew every minute",
    before: [cors({ origin: "*" })],
    handle: (context) => {
      if (!known || now() - known.at >= CACHED_MS) known = { history: ledger.history(), at: now() };
      context.header("cache-control", `public, max-age=${CACHED_MS / 1000}`);
      return context.json({ ...known.history });
    },
  });
}
