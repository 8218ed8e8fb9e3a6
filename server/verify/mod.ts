export { verifyCommand } from "./command.ts";
export type { OwnModel } from "./expectation.ts";
export { imageOfMiner, type MinerAddress, minerAddress, openingsOfMiner } from "./miner_client.ts";
export type { Report } from "./report.ts";
export { verifyReceipt } from "./verify_receipt.ts";
