import { checkDepth } from "../json_text.ts";

// A string as a whole, so that no word inside it counts, or one of Python's numbers.
const PYTHON_NUMBERS = /"(?:[^"\\]|\\.)*"|(?<![\w.+-])(?:-?Infinity|NaN)(?![\w.])/gs;

/**
 * The JSON of a model's files, which Python writes: `NaN`, `Infinity` and `-Infinity` may stand where a
 * number does, as in the `lambda_min_clipped` of diffusers' own schedulers. Not for what peers send.
 * @throws SyntaxError when it is not JSON even so, or nested more than 64 deep.
 */
export function parseModelJson(text: string): unknown {
  checkDepth(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return parsePythonNumbers(text);
  }
}

function parsePythonNumbers(text: string): unknown {
  const notANumber = unusedString(text);
  const json = text.replace(PYTHON_NUMBERS, (token) => {
    if (token === "NaN") return JSON.stringify(notANumber);
    // Too large for a double: JSON.parse rounds it to infinity.
    return token.startsWith('"') ? token : token.replace("Infinity", "1e999");
  });
  return JSON.parse(json, (_, value) => value === notANumber ? NaN : value);
}

/** Stands for NaN, which JSON cannot say at all: longer than any such string in the text. */
function unusedString(text: string): string {
  const lengths = text.match(/NaN_*/g)?.map(({ length }) => length) ?? [];
  return `NaN${"_".repeat(lengths.reduce((max, length) => Math.max(max, length), 0))}`;
}
