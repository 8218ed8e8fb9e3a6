import type { Plan } from "../schedule/mod.ts";
import { jsonHash } from "./canonical_json.ts";
import { planV1 } from "./plan_v1.ts";
import type { ReceiptVersion } from "./receipt.ts";

/**
 * Which weights and configurations made an image.
 * @param files path in the model's folder to the SHA-256 of the file, in lower-case hex; every
 * file that was read.
 * @returns SHA-256 of the canonical JSON of that object, in lower-case hex.
 */
export function manifestHash(files: Readonly<Record<string, string>>): string {
  return jsonHash(files);
}

/**
 * Which steps made an image: plans have the same bits in every engine.
 * @param version of the receipt that names the plan: {@link planV1} is version 1's spelling of it.
 * @returns SHA-256 of the plan's canonical JSON, in lower-case hex.
 * @throws AppError `json_invalid` for a plan with a coefficient that is not finite.
 */
export function planHash(plan: Plan, version: ReceiptVersion): string {
  switch (version) {
    case 1:
      return jsonHash(planV1(plan));
    case 2:
      return jsonHash(plan);
    default:
      return version satisfies never;
  }
}
