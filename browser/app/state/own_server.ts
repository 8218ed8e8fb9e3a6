import type { OwnServer } from "../api/mod.ts";
import { answered, engine } from "./engine.ts";

let own: Promise<OwnServer | undefined> | undefined;

/** What serves this page, where that is a neuron; it is asked once. */
export function ownServer(): Promise<OwnServer | undefined> {
  if (own) return own;
  own = answered(engine.readOwnServer());
  // Offline now does not mean offline later.
  own.catch(() => own = undefined);
  return own;
}
