/** How many names an error gives. */
const MAX_NAMED = 3;

/** "a, b, c and 7 more", each name cut to a length that fits a sentence. */
export function named(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => name.slice(0, 100)).join(", ");
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}
