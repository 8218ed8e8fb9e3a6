import { AppError } from "../../core/error.ts";

const KIND = /^\w{1,200}$/;
const KEY = /^[\w=-]{1,200}$/;
const SUBJECT = /^[\w-]+(\.[\w-]+)*$/;

/** @throws AppError `invalid_request` for a name that not every implementation takes. */
export function checkKind(kind: string): string {
  return checked(kind, KIND, "letters, digits and _");
}

/** @throws AppError `invalid_request`. */
export function checkKey(key: string): string {
  return checked(key, KEY, "letters, digits, _, - and =");
}

/** @throws AppError `invalid_request`. */
export function checkSubject(subject: string): string {
  return checked(subject, SUBJECT, "words of letters, digits, _ and -, with dots between them");
}

function checked(name: string, pattern: RegExp, takes: string): string {
  if (pattern.test(name)) return name;
  throw new AppError(
    "invalid_request",
    `Cannot name something of the cluster: ${JSON.stringify(name)} is not made of ${takes}`,
  );
}
