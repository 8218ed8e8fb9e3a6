export { calibrateCommand } from "./command.ts";
export { openMachines } from "./hosts.ts";
