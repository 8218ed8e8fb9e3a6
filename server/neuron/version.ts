import manifest from "../../package.json" with { type: "json" };

/** Of Stepwise, as servers say it. */
export const VERSION: string = manifest.version;

/**
 * The version as one number, by bittensor's count: 1000 major + 10 minor + patch. Weights carry it:
 * a subnet that demands a higher one by its hyperparameter `weights_version` refuses them.
 */
export function versionKey(version: string): bigint {
  const [major, minor, patch] = version.split(".").map(BigInt);
  return 1000n * major + 10n * minor + patch;
}
