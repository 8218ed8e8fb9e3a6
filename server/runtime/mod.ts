export { stopped } from "./signals.ts";
