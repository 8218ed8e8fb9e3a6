/**
 * Single-file checkpoints, in the names of the code that trained them (LDM, SGM), as the parts that
 * diffusers and transformers make of them; nothing of the weights is read or copied.
 *
 * ```ts
 * import { diffusersNameOfLdmUnet } from "./mod.ts";
 *
 * const sdxl = {
 *   layers_per_block: 2,
 *   down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
 *   up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
 * };
 * const name = diffusersNameOfLdmUnet("input_blocks.4.1.proj_in", sdxl);
 * console.assert(name === "down_blocks.1.attentions.0.proj_in");
 * ```
 */
export { refuseOtherFormats } from "./file_format.ts";
export { checkpointFiles, type ClipVocabulary } from "./checkpoint_files.ts";
export {
  diffusersNameOfLdmUnet,
  ldmNameOfDiffusersUnet,
  type UNetBlocks,
} from "./ldm_unet_names.ts";
export { readLoneFile } from "./lone_file.ts";
export { openSingleFile } from "./open_single_file.ts";
export { replaceVae } from "./replaced_vae.ts";
export type { CheckpointPart } from "./part.ts";
export type { Family } from "./published.ts";
export type { Prediction } from "./sampling.ts";
export { type SingleFileModel, singleFileModel, type SingleFileOptions } from "./single_file.ts";
