/**
 * Bittensor's names for its own sign. The longer phrases come first, so that "tao logo" becomes
 * one symbol and not "tau symbol logo".
 */
const SIGN = /\b(?:(?:bittensor|tao|tau) (?:symbol|logo)|bittensor|tao|tau)\b/gi;

/** The prompt with every name of Bittensor's sign written as models know it: "tau symbol". */
export function expandKeywords(prompt: string): string {
  return prompt.replace(SIGN, "tau symbol");
}
