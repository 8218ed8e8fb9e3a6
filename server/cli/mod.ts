export { numberFlag, sideFlag, wholeFlag } from "./flags.ts";
export { Progress } from "./progress.ts";
