export { type Conditioning, PromptConditioner } from "./conditioning.ts";
