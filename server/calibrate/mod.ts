export { calibrateCommand } from "./command.ts";
