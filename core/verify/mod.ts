export { acceptReceipt, type OwnModel, ownSettings } from "./accept_receipt.ts";
export { chooseSteps, type ChosenSteps, type StepChoice } from "./choose_steps.ts";
export { channelsOf } from "./latent_channels.ts";
export { imageOfMiner, type MinerAddress, minerAddress, openingsOfMiner } from "./miner_client.ts";
export type { OpeningSource } from "./opening_source.ts";
export type { Report } from "./report.ts";
export { type Verification, verifyReceipt } from "./verify_receipt.ts";
