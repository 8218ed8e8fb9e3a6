import { AppError } from "../../core/error.ts";
import type { Metagraph } from "../chain/mod.ts";
import { RetryLater } from "../http/mod.ts";

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

/** The first rules are this miner's own; the others are of what the chain says. */
const OWN_RULES = 2;

/** What is known of the subnet; it was so when it was read. */
interface Subnet {
  readonly metagraph: Metagraph;
  /** Has it read again. @returns whether what is known is out of date. */
  readAgain(): boolean;
}

/**
 * Whether a caller's requests wait for all others': that of a neuron that sets no weights, where such
 * may ask at all. Miners are tested all at the same moment; so no miner has another's tests made by
 * third ones, which are busy with their own.
 */
export function comesLast(
  signedBy: string,
  metagraph: Metagraph,
  whitelist: { has(hotkey: string): boolean },
): boolean {
  if (whitelist.has(signedBy)) return false;
  return !metagraph.neurons.some(({ hotkey, validatorPermit }) =>
    hotkey === signedBy && validatorPermit
  );
}

/**
 * @param subnet undefined without a chain: then only the whitelist may ask.
 * @param whitelist hotkeys that always may.
 * @throws AppError `not_allowed` with the rule; RetryLater `not_ready` where the chain may say
 * otherwise by now: a validator that has just got its permit must not take a 403 for a failure.
 */
export function checkAccess(
  signedBy: string,
  rules: AccessRules,
  subnet: Subnet | undefined,
  whitelist: { has(hotkey: string): boolean },
): void {
  if (whitelist.has(signedBy)) return;
  const metagraph = subnet?.metagraph;
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
  if (!refusal) return;
  const why = `Cannot take the request: the hotkey ${signedBy} ${refusal[1]}`;
  if (!refusals.slice(0, OWN_RULES).some(([holds]) => holds) && subnet?.readAgain()) {
    throw new RetryLater("not_ready", `${why}, as far as is known; the subnet is read again`, 5);
  }
  throw new AppError("not_allowed", why);
}
