/**
 * The page's state as signals: the route, the receipt at hand, the report, and what is kept.
 */
export { ownServer } from "./own_server.ts";
export { answered, engine, listener } from "./engine.ts";
export {
  address,
  addressOf,
  arrived,
  attempt,
  capabilities,
  check,
  checking,
  complain,
  compute,
  copy,
  forgetAll,
  forgotten,
  giveFiles,
  kept,
  look,
  offered,
  open,
  openFiles,
  opening,
  openLink,
  type Place,
  problem,
  reach,
  report,
  route,
  runCheck,
  start,
  subject,
  verdicts,
} from "./state.ts";
export { type Lineage, lineageOf } from "./lineage.ts";
