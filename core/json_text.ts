/** Objects and lists inside one another: no document of ours, or of a model, has more than twenty. */
const MAX_DEPTH = 64;

/**
 * JSON of a peer or of a file. Its reader bounds its length; its depth is bounded here,
 * since what walks a value later, or writes it again, would run out of stack.
 * @throws SyntaxError when it is not JSON, or nested more than 64 deep.
 */
export function parseJsonText(text: string): unknown {
  checkDepth(text);
  return JSON.parse(text);
}

/** @throws SyntaxError for more than 64 levels. */
export function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = endOfString(text, i);
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > MAX_DEPTH) throw new SyntaxError(`it is nested more than ${MAX_DEPTH} deep`);
  }
}

/** Where the string that begins at `start` has its closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
