import { AppError } from "../error.ts";

/** True for a relative path with `/` that stays inside its folder: no `..`, no root, no drive. */
export function isModelPath(path: string): boolean {
  // deno-lint-ignore no-control-regex
  if (path === "" || /[\\:\x00-\x1f]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** @throws AppError `model_invalid` when a path would leave the model's folder. */
export function checkModelPath(path: string, model: string): string {
  if (!isModelPath(path)) {
    throw new AppError(
      "model_invalid",
      `Cannot read ${JSON.stringify(path)} of ${model}: it is not a path inside the model`,
    );
  }
  return path;
}
