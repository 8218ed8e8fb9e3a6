export { openDatabase } from "./database.ts";
export { lockFolder } from "./folder_lock.ts";
export { checkWritable, writeAtomically, writeTogether } from "./output_file.ts";
export { sha256, sha256OfFile, sha256OfFiles } from "./sha256.ts";
export { diskFull, freeBytes, storageFailed } from "./storage_error.ts";
