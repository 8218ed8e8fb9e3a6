export { adversaryCommand } from "./command.ts";
