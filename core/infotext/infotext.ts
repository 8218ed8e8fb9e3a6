/** How an image was made, as a text that AUTOMATIC1111 writes and galleries read. */

export interface Infotext {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** By their names, in their order; what is undefined is left out. */
  readonly parameters: Readonly<Record<string, string | number | undefined>>;
}

/** The prompt, a line of what is not wanted, and a line of `Steps: 20, Sampler: Euler, ...`. */
export function writeInfotext({ prompt, negativePrompt, parameters }: Infotext): string {
  const last = Object.entries(parameters)
    .flatMap(([name, value]) => value === undefined ? [] : `${name}: ${quoted(String(value))}`);
  const negative = negativePrompt === "" ? "" : `\nNegative prompt: ${negativePrompt}`;
  return `${prompt}${negative}\n${last.join(", ")}`.trim();
}

/** A name, a colon, and a value that has no comma or is quoted as JSON. */
const PARAMETER = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;
const SIZE = /^(\d+)x(\d+)$/;
const NEGATIVE = "Negative prompt:";
/** Fewer are no line of parameters, but a prompt that has a colon in it. */
const MIN_PARAMETERS = 3;
/** Letters; a longer line is no line of parameters, and would take the pattern long. */
const MAX_LINE = 8000;

/** The other way, of anybody's text. `WxH` becomes two, as `Size-1` and `Size-2`. */
export function readInfotext(text: string): {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly parameters: Readonly<Record<string, string>>;
} {
  const lines = text.trim().split("\n");
  const last = lines.at(-1) ?? "";
  const found = last.length > MAX_LINE ? [] : [...last.matchAll(PARAMETER)];
  const isLast = found.length >= MIN_PARAMETERS;
  const texts = (isLast ? lines.slice(0, -1) : lines).map((line) => line.trim());
  const at = texts.findIndex((line) => line.startsWith(NEGATIVE));
  const [positive, negative] = at < 0 ? [texts, []] : [texts.slice(0, at), texts.slice(at)];
  return {
    prompt: positive.join("\n"),
    negativePrompt: negative.join("\n").slice(NEGATIVE.length).trim(),
    parameters: Object.fromEntries(isLast ? found.flatMap(readParameter) : []),
  };
}

function readParameter([, name, value]: RegExpMatchArray): [string, string][] {
  const plain = unquoted(value);
  const size = SIZE.exec(plain);
  return size ? [[`${name}-1`, size[1]], [`${name}-2`, size[2]]] : [[name, plain]];
}

function quoted(value: string): string {
  return /[,:\n]/.test(value) ? JSON.stringify(value) : value;
}

function unquoted(value: string): string {
  if (!/^".*"$/.test(value)) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
