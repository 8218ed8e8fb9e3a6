import { AppError } from "../../core/error.ts";
import type { Metagraph } from "../chain/mod.ts";

/** Which hotkeys may ask, by bittensor's flags. */
export interface AccessRules {
  /** SS58. */
  readonly hotkeys: readonly string[];
  readonly coldkeys: readonly string[];
  readonly forceValidatorPermit: boolean;
  readonly allowNonRegistered: boolean;
  readonly validatorMinimumTao: number;
}

/** No rule but that of the subnet: as the flags are when none is given. */
export const EVERY_NEURON: AccessRules = {
  hotkeys: [],
  coldkeys: [],
  forceValidatorPermit: false,
  allowNonRegistered: false,
  validatorMinimumTao: 0,
};

/**
 * @param metagraph undefined without a chain: then only the whitelist may ask.
 * @param whitelist hotkeys that always may.
 * @throws AppError `not_allowed` with the rule.
 */
export function checkAccess(
  signedBy: string,
  rules: AccessRules,
  metagraph: Metagraph | undefined,
  whitelist: { has(hotkey: string): boolean },
): void {
  if (whitelist.has(signedBy)) return;
  const neuron = metagraph?.neurons.find(({ hotkey }) => hotkey === signedBy);
  const { validatorMinimumTao: least } = rules;
  const refusals: readonly (readonly [boolean, string])[] = [
    [rules.hotkeys.includes(signedBy), "is on this miner's blacklist"],
    [
      !!neuron && rules.coldkeys.includes(neuron.coldkey),
      "has a coldkey on this miner's blacklist",
    ],
    [!neuron && !rules.allowNonRegistered, "is not registered on the subnet"],
    [rules.forceValidatorPermit && !neuron?.validatorPermit, "has no validator permit"],
    [!!neuron && neuron.stake < least, `has ${neuron?.stake} staked, ${least} are asked for`],
  ];
  const refusal = refusals.find(([holds]) => holds);
  if (refusal) {
    throw new AppError(
      "not_allowed",
      `Cannot take the request: the hotkey ${signedBy} ${refusal[1]}`,
    );
  }
}
