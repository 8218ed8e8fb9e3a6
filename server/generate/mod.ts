/**
 * `deno task generate`: a prompt to images, and on demand their transcript and signed receipts.
 */
export { generateCommand } from "./command.ts";
