/**
 * What the page and its worker send each other, and the words and colours in which a report is
 * shown.
 */
export {
  CANCELLED,
  type Capabilities,
  type CheckEvent,
  type CheckOrder,
  type ComputeChoice,
  type ControlOrder,
  type ControlPictures,
  type EnlargedImage,
  type EnlargeOrder,
  type FetchedReceipt,
  type GenerateEvent,
  type GenerateOrder,
  type InputBlobs,
  type LoraOrder,
  type OfferedReceipt,
  type OwnImage,
  type ParentOrder,
  type Picture,
  type Reach,
  type ReachSubject,
  type ReceiptLink,
  type SourceOrder,
  type SourcePictures,
  type Stage,
  STAGES,
  type TabReport,
  type WitnessedDraw,
} from "./api.ts";
export {
  type GatewayAccess,
  JOB_NOT_FOUND,
  type JobImage,
  type JobOrder,
  type KeyFacts,
  type OrderEvent,
  type WorkerApi,
} from "./create.ts";
export { heatColour, heatScale, MAX_HEAT, MIN_HEAT } from "./heat.ts";
export { hashOf, linkOf, openText, receiptOf } from "./link.ts";
export { type NamedFile, namedFiles } from "./named_files.ts";
export { checkMinerUrl } from "./miner_url.ts";
export { type Page, pageOf, parametersOf } from "./pages.ts";
export type {
  OwnServer,
  Subnet,
  SubnetHour,
  SubnetMiner,
  SubnetPiece,
  SubnetWeights,
} from "./subnet.ts";
export { countOf, STATEMENT_ONLY, textOf, timeOf, whyOf } from "./words.ts";
