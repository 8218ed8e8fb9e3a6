import process from "node:process";
import { AppError } from "../../../core/error.ts";
import { invalid } from "./keyfile.ts";

/** Asks for the password of a file. */
export type PasswordSource = (path: string) => Promise<string>;
/** Puts a question to whoever sits there. @returns undefined when nobody does. */
export type Ask = (question: string) => string | undefined;

const VARIABLE = "STEPWISE_WALLET_PASSWORD";

/** btwallet's variable (base64 of the password xor the variable's name), ours, or a prompt. */
export function passwordFromUser(path: string): Promise<string> {
  const variable = `BT_PW_${path.replace(/[/\\.]/g, "_").toUpperCase()}`;
  const hidden = process.env[variable];
  if (hidden) return Promise.resolve(unhide(hidden, variable));
  const given = process.env[VARIABLE] || askHidden(`Password of ${path}: `);
  if (given) return Promise.resolve(given);
  throw invalid(path, `it is encrypted; ${VARIABLE} gives the password`);
}

/** For a file that is to be written. @throws AppError `invalid_request`. */
export function newPassword(path: string, ask: Ask = askHidden): Promise<string> {
  const given = process.env[VARIABLE];
  if (given) return Promise.resolve(given);
  const typed = ask(`New password of ${path}: `);
  if (!typed) {
    throw refusal(
      path,
      `there is no password; type one, give it with ${VARIABLE}, or leave the file unencrypted ` +
        "with --no-use-password",
    );
  }
  if (ask("The same again: ") === typed) return Promise.resolve(typed);
  throw refusal(path, "the two passwords are not the same");
}

function refusal(path: string, why: string): AppError {
  return new AppError("invalid_request", `Cannot encrypt ${path}: ${why}`);
}

function unhide(text: string, name: string): string {
  const bytes = Uint8Array.fromBase64(text);
  const key = new TextEncoder().encode(name);
  return new TextDecoder().decode(bytes.map((byte, i) => byte ^ key[i % key.length]));
}

const BACKSPACES: readonly number[] = [8, 127];
/** Line feed, carriage return, end of transmission. */
const ENDS: readonly number[] = [10, 13, 4];

/** Nothing of what is typed is shown. */
function askHidden(question: string): string | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  Deno.stderr.writeSync(new TextEncoder().encode(question));
  // Ctrl-C still ends the process.
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    return readLine();
  } finally {
    Deno.stdin.setRaw(false);
    Deno.stderr.writeSync(new TextEncoder().encode("\n"));
  }
}

function readLine(): string {
  const typed: number[] = [];
  const byte = new Uint8Array(1);
  while (Deno.stdin.readSync(byte) !== null && !ENDS.includes(byte[0])) {
    if (BACKSPACES.includes(byte[0])) dropCharacter(typed);
    else typed.push(byte[0]);
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}

/** One of UTF-8: its first byte and those that continue it. */
function dropCharacter(bytes: number[]): void {
  while (bytes.length > 0 && ((bytes.pop() ?? 0) & 0xc0) === 0x80);
}
