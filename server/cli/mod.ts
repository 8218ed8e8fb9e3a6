export { sentenceOf } from "./flag_hint.ts";
export { numberFlag, sideFlag, stepsFlag, wholeFlag } from "./flags.ts";
export { Progress } from "./progress.ts";
