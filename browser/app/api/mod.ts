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
  type EngineApi,
  type FetchedReceipt,
  type GenerateEvent,
  type GenerateOrder,
  type OfferedReceipt,
  type OwnImage,
  type Picture,
  type Reach,
  type ReceiptLink,
  type Stage,
  STAGES,
  type TabReport,
  type WitnessedDraw,
} from "./api.ts";
export { heatColour, heatScale, MAX_HEAT, MIN_HEAT } from "./heat.ts";
export { hashOf, linkOf, openText, receiptOf } from "./link.ts";
export { checkMinerUrl } from "./miner_url.ts";
export { countOf, STATEMENT_ONLY, textOf, timeOf, whyOf } from "./words.ts";
