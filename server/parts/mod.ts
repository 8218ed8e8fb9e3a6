/** `deno task models`: one part of a model, run on its own. */
export { modelsCommand } from "./command.ts";
