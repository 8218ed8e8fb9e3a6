const CLEAR_TO_END = "\x1b[0J";

/** The part of a terminal that is drawn again and again; plain lines where there is no terminal. */
export class Screen {
  readonly #live = Deno.stdout.isTerminal();
  #height = 0;
  #last = "";

  /** A line that stays. */
  say(line: string): void {
    this.#erase();
    console.log(line);
    this.#last = "";
  }

  /** What changes. Without a terminal it is only shown when asked to. */
  show(text: string, important = false): void {
    if (!this.#live && !important) return;
    if (text === this.#last) return;
    this.#erase();
    console.log(text);
    this.#last = text;
    if (this.#live) this.#height = text.split("\n").length;
  }

  #erase(): void {
    if (this.#height === 0) return;
    Deno.stdout.writeSync(new TextEncoder().encode(`\x1b[${this.#height}A\r${CLEAR_TO_END}`));
    this.#height = 0;
  }
}
