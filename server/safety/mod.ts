/**
 * What prompts ask for and images show that is not for everybody, and what is done about it: off, flag
 * or block. Words and a small network decide, and both err: see `models/nsfw/README.md`.
 *
 * ```ts
 * import { Safety } from "./mod.ts";
 *
 * await using safety = new Safety();
 * const { action, findings } = safety.screen({ prompt: "a naked woman", prompt2: "" }, "block");
 * console.assert(action === "block" && findings[0] === 'the prompt says "naked"');
 * console.assert(safety.screen({ prompt: "a fox in snow", prompt2: "" }, "block").action === "pass");
 * ```
 */
export { nsfwOption } from "./flags.ts";
export { NSFW_POLICIES, type NsfwPolicy, type Screening } from "./policy.ts";
export { Safety, type Screen } from "./safety.ts";
