export { generateCommand } from "./command.ts";
