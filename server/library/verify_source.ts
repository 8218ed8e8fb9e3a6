import { counted } from "../../core/counted.ts";
import { AppError } from "../../core/error.ts";
import { hashFiles, type ModelFiles, parseModelSource } from "../../core/model/mod.ts";
import { knownModels, openModel, verifyCached } from "../models/mod.ts";
import { sha256 } from "../storage/mod.ts";
import { columns } from "./columns.ts";

/**
 * Compares a model's files with their known hashes. Of a folder or file of the user's nothing is known:
 * its hashes are what there is to say.
 * @returns a sentence, or lines of hashes.
 * @throws AppError `model_invalid` naming the files that are damaged, `model_not_found`.
 */
export async function verifySource(given: string): Promise<string> {
  const { kind } = parseModelSource(given, knownModels());
  if (kind === "embedded") {
    const files = await openModel(given, { verify: true });
    return `${files.name}: ${counted(files.paths.length, "file")} as the catalogue says`;
  }
  return kind === "folder" ? await hashLines(await openModel(given)) : await verifyCopy(given);
}

async function verifyCopy(given: string): Promise<string> {
  const { copy: { model, folder, files }, bad } = await verifyCached(given);
  if (bad.length === 0) return `${model}: ${counted(files, "file")} as they came`;
  const what = bad.map(({ path, why }) => `${path} ${why}`).join("; ");
  throw new AppError(
    "model_invalid",
    `Cannot vouch for ${model} in ${folder}: ${what}. \`models pull\` fetches it again`,
  );
}

async function hashLines(files: ModelFiles): Promise<string> {
  const own = files.paths.filter((path) => !files.derived?.includes(path));
  const hashes = await hashFiles(files, { paths: own, sha256 });
  return [
    `Nothing is known of ${files.name} to compare its files with. Their SHA-256:`,
    ...columns(Object.entries(hashes).map(([path, hash]) => [hash, path])),
  ].join("\n");
}
