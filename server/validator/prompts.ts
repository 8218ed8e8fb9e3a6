import { readAtMost } from "../../core/bounded_body.ts";
import { open, stat } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";
import { drawPromptOf, wordsOf } from "../../core/content/mod.ts";
import type { Random } from "./selection.ts";

/** Makes or finds an unpredictable prompt, of about so many words. */
export type PromptSource = (words: number) => Promise<string>;

/** Characters of a prompt that are kept. */
const MAX_PROMPT = 1000;
/** Bytes read at an offset: the rest of one line and the next whole one are within it. */
const WINDOW = 64 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * Prompts of a bank, one a line, in UTF-8: sampled by offset and never read whole, whatever its
 * size. Longer lines are a little likelier; which comes next is unpredictable.
 * @param from a file or an http(s) address that answers ranges; undefined for the prompt bank of the core.
 * @throws AppError `storage_failed` or `download_failed` when there is no such bank.
 */
export async function openPrompts(
  from: string | undefined,
  random: Random,
  onTrouble: (error: unknown) => void = () => {},
): Promise<PromptSource> {
  if (from === undefined) return (words) => Promise.resolve(drawPromptOf(words, random));
  const bank = /^https?:\/\//.test(from) ? await bankAtUrl(from) : await bankInFile(from);
  return async (words) => {
    try {
      const offset = Math.floor(random() * bank.size);
      const line = lineOf(await bank.read(offset), offset === 0, words);
      // Behind the last line comes the first.
      return line ?? lineOf(await bank.read(0), true, words) ?? drawPromptOf(words, random);
    } catch (error) {
      onTrouble(error);
      return drawPromptOf(words, random);
    }
  };
}

interface Bank {
  readonly size: number;
  /** At most {@link WINDOW} bytes from there on. */
  readonly read: (offset: number) => Promise<Uint8Array>;
}

/** Lines of a window among which the one of the length that is wished for is chosen. */
const CHOICE = 6;

/** Of the first whole lines of a window the one whose number of words is nearest. */
function lineOf(window: Uint8Array, atStart: boolean, words: number): string | undefined {
  const lines = new TextDecoder().decode(window).split(/\r?\n/);
  const whole = lines.slice(atStart ? 0 : 1, window.length < WINDOW ? undefined : -1);
  const prompts = whole.map((line) => line.trim().slice(0, MAX_PROMPT))
    .filter((line) => line !== "").slice(0, CHOICE);
  const away = (prompt: string) => Math.abs(wordsOf(prompt) - words);
  return prompts.toSorted((a, b) => away(a) - away(b))[0];
}

async function bankInFile(path: string): Promise<Bank> {
  try {
    const { size } = await stat(path);
    if (size === 0) throw new Error("it is empty");
    return {
      size,
      read: async (offset) => {
        await using file = await open(path);
        const { buffer, bytesRead } = await file.read(new Uint8Array(WINDOW), 0, WINDOW, offset);
        return buffer.subarray(0, bytesRead);
      },
    };
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read the prompts of ${path}: ${reason(cause)}`, {
      cause,
    });
  }
}

async function bankAtUrl(url: string): Promise<Bank> {
  const read = async (offset: number) => {
    const headers = { range: `bytes=${offset}-${offset + WINDOW - 1}` };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const bytes = await readAtMost(response, WINDOW);
    if (response.status === 206 && bytes) return { bytes, response };
    throw new Error(`it answered ${response.status} to a range; 206 is needed`);
  };
  try {
    const { response } = await read(0);
    const size = Number(/\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1]);
    if (!(size > 0)) throw new Error("it does not say how long it is (content-range)");
    return { size, read: async (offset) => (await read(offset)).bytes };
  } catch (cause) {
    throw new AppError("download_failed", `Cannot read the prompts of ${url}: ${reason(cause)}`, {
      cause,
    });
  }
}
