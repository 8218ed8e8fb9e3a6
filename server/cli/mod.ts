/**
 * What commands have in common: numbers of flags within their ranges, flags from a file or the
 * environment, the sentence that an error ends with, and progress on stderr.
 *
 * ```ts
 * import { wholeFlag } from "./mod.ts";
 *
 * console.assert(wholeFlag("--queue", "16", 1, 10_000) === 16);
 * ```
 */
export { addConfigOption, addEnvironment } from "./config_file.ts";
export { configCommand } from "./config_print.ts";
export { sentenceOf } from "./flag_hint.ts";
export { numberFlag, sideFlag, stepsFlag, wholeFlag } from "./flags.ts";
export { asTyped, programName } from "./program_name.ts";
export { Progress } from "./progress.ts";
export { enterUserFolder } from "./user_folder.ts";
