export { knownModels, openModel, type OpenModelOptions } from "./open_model.ts";
export { checkWritable, writeAtomically } from "./output_file.ts";
