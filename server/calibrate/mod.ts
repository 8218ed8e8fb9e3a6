/**
 * `deno task calibrate`: how far honest hosts are apart on single steps, the tolerances that follow
 * (`models/*-calibration.json`), and whether later steps stay below them.
 */
export { calibrateCommand } from "./command.ts";
export { openMachines } from "./hosts.ts";
export { type GivenCalibration, openCalibration } from "./open_calibration.ts";
