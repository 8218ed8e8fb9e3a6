import { appendFile, readFile } from "node:fs/promises";
import type { ExaminedRun } from "../../core/adversary/mod.ts";
import { AppError, reason } from "../../core/error.ts";
import { isMissing, writeAtomically } from "../storage/mod.ts";

/** One line of the file: an image, and what was seen of it. */
interface Entry<Examined> {
  readonly practice: string;
  readonly run: number;
  readonly examined: Examined;
}

/** Examined images in a file, so that a study that was stopped goes on where it was. */
export class StudyJournal<Examined = ExaminedRun> {
  readonly #path: string | undefined;
  readonly #known: Map<string, Examined>;

  private constructor(path: string | undefined, known: Map<string, Examined>) {
    this.#path = path;
    this.#known = known;
  }

  /**
   * @param path of the file, which need not be there; without one nothing is kept.
   * @param study what its images depend on: the file's first line.
   * @throws AppError `invalid_request` for the file of another study, `storage_failed`.
   */
  static async open<Examined = ExaminedRun>(
    path: string | undefined,
    study: unknown,
  ): Promise<StudyJournal<Examined>> {
    if (path === undefined) return new StudyJournal(undefined, new Map());
    const head = JSON.stringify(study);
    const [first = "", ...lines] = await linesOf(path, head);
    if (first !== head) {
      const why = `${path} is of another study: ${first.slice(0, 300)}`;
      throw new AppError(
        "invalid_request",
        `Cannot go on: ${why}; name another file, or remove it`,
      );
    }
    const entries = lines.map((line) => JSON.parse(line, numberOf) as Entry<Examined>);
    const known = entries.map(({ practice, run, examined }) =>
      [keyOf(practice, run), examined] as const
    );
    return new StudyJournal(path, new Map(known));
  }

  has(practice: string, run: number): boolean {
    return this.#known.has(keyOf(practice, run));
  }

  /** What is known of this image, or is seen of it now. */
  async examined(
    practice: string,
    run: number,
    examine: () => Promise<Examined>,
  ): Promise<Examined> {
    const known = this.#known.get(keyOf(practice, run));
    if (known) return known;
    const examined = await examine();
    if (this.#path === undefined) return examined;
    const entry: Entry<Examined> = { practice, run, examined };
    await appendFile(this.#path, `${JSON.stringify(entry, textOf)}\n`);
    return examined;
  }
}

/** All whole lines; of a file that is not there, which is written. */
async function linesOf(path: string, head: string): Promise<string[]> {
  try {
    const text = await readFile(path, "utf8");
    // What follows the last line feed was cut.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== text) await writeAtomically(path, new TextEncoder().encode(whole));
    return whole.split("\n").slice(0, -1);
  } catch (cause) {
    if (isMissing(cause)) {
      await writeAtomically(path, new TextEncoder().encode(`${head}\n`));
      return [head];
    }
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

function keyOf(practice: string, run: number): string {
  return `${run} ${practice}`;
}

/** JSON has neither infinity nor NaN. */
function textOf(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function numberOf(_: string, value: unknown): unknown {
  return value === "Infinity" || value === "NaN" ? Number(value) : value;
}
