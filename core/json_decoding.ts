import type { z } from "zod";

/** Characters of a value that are shown. */
const MAX_SHOWN = 80;

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
};

const FORMATS: Readonly<Record<string, string>> = {
  url: "an http(s) address",
  base64: "base64",
};

/** A top-level field that is null is one that was left out: many clients write all of theirs. */
export function withoutNulls(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

/**
 * What is wrong with JSON from outside, as "field is value, not range".
 * @param issue whose own message counts only if a schema gave it: it then begins with "not", or is
 * a whole sentence about several fields.
 * @param json that the issue was found in.
 */
export function issueSentence(issue: z.core.$ZodIssue, json: unknown): string {
  const { path, message } = issue;
  const field = path.join(".") || "it";
  if (issue.code === "unrecognized_keys") {
    const owner = path.length === 0 ? "what is taken" : field;
    return `${issue.keys[0].slice(0, MAX_SHOWN)} is not a field of ${owner}`;
  }
  if (issue.code === "custom" && path.length === 0) return message;
  const value = path.reduce<unknown>((at, key) => Object(at)[key], json);
  if (value === undefined) return `${field} is missing`;
  return `${field} is ${showValue(value)}, ${
    message.startsWith("not ") ? message : rangeOf(issue)
  }`;
}

/** A value as an error shows it: JSON, cut short. */
export function showValue(value: unknown): string {
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}

function rangeOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `not ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `not ${oneOf(issue.values.map((value) => showValue(value)))}`;
    case "invalid_format":
      return `not ${FORMATS[issue.format] ?? "of the form that is taken"}`;
    case "too_small":
      return `not ${issue.minimum} or more${unitOf(issue.origin)}`;
    case "too_big":
      return `not ${issue.maximum} or less${unitOf(issue.origin)}`;
    case "not_multiple_of":
      return `not a multiple of ${issue.divisor}`;
    default:
      return "not one that is taken";
  }
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

function oneOf(choices: readonly string[]): string {
  const [last, ...before] = choices.toReversed();
  return before.length === 0 ? last : `${before.toReversed().join(", ")} or ${last}`;
}
