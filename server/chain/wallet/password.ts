import { readSync, writeSync } from "node:fs";
import process from "node:process";
import { AppError } from "../../../core/error.ts";
import { invalid } from "./keyfile.ts";

/** Asks for the password of a file. */
export type PasswordSource = (path: string) => Promise<string>;
/** Asks the user at the terminal. @returns undefined when there is none. */
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
  const bytes = bytesOf(text, name);
  const key = new TextEncoder().encode(name);
  return new TextDecoder().decode(bytes.map((byte, i) => byte ^ key[i % key.length]));
}

function bytesOf(text: string, name: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new AppError(
      "wallet_invalid",
      `Cannot read the password: ${name} is not base64, as btcli writes it`,
      { cause },
    );
  }
}

const BACKSPACES: readonly number[] = [8, 127];
/** Line feed, carriage return, end of transmission. */
const ENDS: readonly number[] = [10, 13, 4];
const CTRL_C = 3;

/** Nothing of what is typed is shown. */
function askHidden(question: string): string | undefined {
  if (!process.stdin.isTTY) return undefined;
  writeSync(process.stderr.fd, question);
  // Ctrl-C too is read: a signal would end the process, and the terminal would stay silent.
  process.stdin.setRawMode(true);
  try {
    return readHidden(readByte);
  } finally {
    process.stdin.setRawMode(false);
    writeSync(process.stderr.fd, "\n");
  }
}

function readByte(): number | undefined {
  const byte = new Uint8Array(1);
  return readSync(process.stdin.fd, byte) === 0 ? undefined : byte[0];
}

/**
 * A line as it was typed.
 * @param next undefined at the end.
 * @throws AppError `cancelled` at Ctrl-C.
 */
export function readHidden(next: () => number | undefined): string {
  const typed: number[] = [];
  for (let byte = next(); byte !== undefined && !ENDS.includes(byte); byte = next()) {
    if (byte === CTRL_C) {
      throw new AppError("cancelled", "Cannot ask for a password: it was cancelled");
    }
    if (BACKSPACES.includes(byte)) dropCharacter(typed);
    else typed.push(byte);
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}

/** One of UTF-8: its first byte and those that continue it. */
function dropCharacter(bytes: number[]): void {
  while (bytes.length > 0 && ((bytes.pop() ?? 0) & 0xc0) === 0x80);
}
