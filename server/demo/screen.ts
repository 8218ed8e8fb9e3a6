import process from "node:process";

const CLEAR_TO_END = "\x1b[0J";

/** Where it is drawn. */
export interface Terminal {
  /** Nothing else is drawn again. */
  readonly live: boolean;
  /** Characters in a line, at present. */
  readonly columns: () => number;
  readonly line: (text: string) => void;
  /** Moves and erases. */
  readonly control: (sequence: string) => void;
}

const STDOUT: Terminal = {
  live: process.stdout.isTTY,
  columns: () => process.stdout.columns,
  // Not by writeSync, which throws once a reader such as head has ended.
  line: (text) => console.log(text),
  control: (sequence) => void process.stdout.write(sequence),
};

/** The part of a terminal that is drawn again and again; where there is none, what stays alone. */
export class Screen {
  readonly #terminal: Terminal;
  #shown = "";

  constructor(terminal: Terminal = STDOUT) {
    this.#terminal = terminal;
  }

  /** Characters in a line. */
  get columns(): number {
    return this.#terminal.live ? this.#terminal.columns() : Infinity;
  }

  /** Lines that stay, in the place of what was shown. */
  say(text: string): void {
    this.#erase();
    this.#terminal.line(text);
  }

  /** Lines that change: until the next ones, and without a terminal never. */
  show(text: string): void {
    if (!this.#terminal.live || text === this.#shown) return;
    this.say(text);
    this.#shown = text;
  }

  #erase(): void {
    if (this.#shown === "") return;
    this.#terminal.control(`\x1b[${rowsOf(this.#shown, this.columns)}A\r${CLEAR_TO_END}`);
    this.#shown = "";
  }
}

/** A line that is longer than the terminal's takes several rows. */
function rowsOf(text: string, columns: number): number {
  return text.split("\n").reduce(
    (rows, line) => rows + Math.max(1, Math.ceil(line.length / columns)),
    0,
  );
}
