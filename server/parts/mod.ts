/** `deno task models run`: one part of a model, run on its own. */
export { runPartCommand } from "./command.ts";
