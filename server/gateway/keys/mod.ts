/** Keys of applications: who may ask, and for how much. */
export { KeyFile } from "./key_file.ts";
export { hashOfKey, newKeyText } from "./key_text.ts";
export { Keys } from "./keys.ts";
