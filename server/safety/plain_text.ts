/** Digits and signs that are read as the letters that they look like. */
const LOOKS_LIKE: Readonly<Record<string, string>> = {
  ...{ "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i" },
};

/**
 * A prompt as words alone, twice: as it is written, and with signs for letters (`nud3`) and letters
 * that stand apart (`n u d e`) read as people read them.
 */
export function plainTexts(prompt: string): readonly string[] {
  const plain = prompt.normalize("NFKD").replaceAll(/\p{M}|\p{Cf}/gu, "").toLowerCase();
  const joined = plain.replaceAll(
    /(?<![\p{L}\p{N}])(?:[\p{L}\p{N}@$!][\s.\-_*]+){2,}[\p{L}\p{N}@$!](?![\p{L}\p{N}])/gu,
    (letters) => letters.replaceAll(/[\s.\-_*]/g, ""),
  );
  const spoken = joined.replaceAll(
    // A number alone is a number.
    /[\p{L}\p{N}@$!]*\p{L}[\p{L}\p{N}@$!]*/gu,
    (word) => word.replaceAll(/[013457@$!]/g, (sign) => LOOKS_LIKE[sign]),
  );
  return [...new Set([plain, spoken].map(wordsOf))];
}

function wordsOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();
}
