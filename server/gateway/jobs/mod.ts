/** Jobs: what is accepted is made, in a fair order, and survives a restart. */
export type { Watcher } from "./broadcast.ts";
export type { JobEvent, Place, Progress } from "./job_event.ts";
export { Jobs } from "./jobs.ts";
export {
  DEFAULT_JOBS,
  type JobsOptions,
  type Made,
  type Make,
  type Making,
  type Order,
} from "./maker.ts";
export { Room } from "./room.ts";
