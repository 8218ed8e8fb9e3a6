/**
 * The page's state as signals: the route, the receipt at hand, the report, and what is kept.
 */
export { answered, engine, listener } from "./engine.ts";
export {
  arrived,
  capabilities,
  check,
  checking,
  compute,
  forgetAll,
  kept,
  look,
  offered,
  open,
  opening,
  openLink,
  problem,
  reach,
  report,
  route,
  runCheck,
  start,
  subject,
  tell,
  verdicts,
} from "./state.ts";
