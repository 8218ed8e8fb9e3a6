export { type ModelFacts, modelFacts } from "./model_facts.ts";
export { knownModels, openModel, type OpenModelOptions } from "./open_model.ts";
