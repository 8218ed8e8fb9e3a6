/** `deno task models`: the models that are known, and those in the cache. */
export { modelsCommand } from "./command.ts";
