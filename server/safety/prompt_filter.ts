import { englishDataset, englishRecommendedTransformers, RegExpMatcher } from "obscenity";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { plainTexts } from "./plain_text.ts";
import type { Finding } from "./policy.ts";
import {
  EXPLICIT,
  EXPLICIT_IN_OBSCENITY,
  HARMLESS,
  MINORS,
  MINORS_SEXUAL,
  SUGGESTIVE,
} from "./words.ts";

const matcher = new RegExpMatcher({
  ...englishDataset.build(),
  ...englishRecommendedTransformers,
});

type Prompts = Pick<GenerationRequest, "prompt" | "prompt2">;

/** Whether there is anything to find under the policy that looks for nothing: it takes a tenth of the time. */
export function namesMinors({ prompt, prompt2 }: Prompts): boolean {
  const texts = plainTexts(`${prompt} ${prompt2}`);
  return found(MINORS, texts).length > 0 || found(MINORS_SEXUAL, texts).length > 0;
}

/**
 * What the prompts ask to be shown. Words alone are looked at: it finds what is said outright, in
 * English, and no more. What is asked not to be shown, in negative prompts, is not looked at.
 */
export function promptFindings(
  { prompt, prompt2 }: Prompts,
): readonly Finding[] {
  const texts = plainTexts(`${prompt} ${prompt2}`).map((text) => text.replaceAll(HARMLESS, " "));
  const suggestive = found(SUGGESTIVE, texts);
  // "sexy" is not "sex" again.
  const rest = texts.map((text) => text.replaceAll(SUGGESTIVE, " "));
  const explicit = [...found(EXPLICIT, texts), ...rude(rest, true)];
  const hints = [...suggestive, ...rude(rest, false)];
  const minors = found(MINORS, texts);
  const never = found(MINORS_SEXUAL, texts);
  const sexual = [...explicit, ...suggestive];
  if (minors.length > 0 && sexual.length > 0) never.push(`${minors[0]}, ${sexual[0]}`);
  return [
    ...never.map((words): Finding => ({
      grade: "never",
      what: `the prompt makes a child sexual (${words})`,
    })),
    ...explicit.map((word): Finding => ({ grade: "explicit", what: `the prompt says "${word}"` })),
    ...hints.map((word): Finding => ({ grade: "hint", what: `the prompt says "${word}"` })),
  ];
}

function found(words: RegExp, texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => text.match(words) ?? []))];
}

/** What obscenity finds, by its words' plain form. */
function rude(texts: readonly string[], explicit: boolean): string[] {
  const all = texts.flatMap((text) => matcher.getAllMatches(text)).flatMap((match) =>
    englishDataset.getPayloadWithPhraseMetadata(match).phraseMetadata?.originalWord ?? []
  );
  return [...new Set(all)].filter((word) => EXPLICIT_IN_OBSCENITY.has(word) === explicit);
}
