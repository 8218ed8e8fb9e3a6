import { join } from "node:path";
import { checkImports, readHouse } from "./import_rules.ts";

const files = readHouse(join(import.meta.dirname ?? ".", "../.."));
const breaches = checkImports(files);
for (const breach of breaches) console.error(breach);
console.log(`Import rules: ${files.length} files, ${breaches.length} breaches`);
if (breaches.length) Deno.exit(1);
