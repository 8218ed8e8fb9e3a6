import type { ApiKey, KeptKey, KeyLimits, Usage } from "../store/mod.ts";

/** What is known of a key, a line each. @param usage of today. */
export function keyText(key: KeptKey, now: number, webhookSecret: string): string {
  const { id, name, created, limits } = key;
  return [
    ["name", name],
    ["id", id],
    ["state", stateOf(key, now)],
    ["made", dayOf(created)],
    ["expires", key.expires === undefined ? "never" : dayOf(key.expires)],
    ...limitsText(limits),
    ["webhooks", `signed with ${webhookSecret}`],
  ].map(([what, value]) => `${what.padEnd(9)} ${value}`).join("\n");
}

/** Keys, one a line, with what they used today. */
export function keysText(
  keys: readonly KeptKey[],
  now: number,
  imagesToday: (key: ApiKey) => number,
): string {
  if (keys.length === 0) return "There are no keys yet: deno task keys new <name> makes one.";
  const rows = keys.map((key) => [
    ...[key.name, stateOf(key, now), dayOf(key.created), String(imagesToday(key))],
    limitsText(key.limits).map(([what, value]) => `${what} ${value}`).join(", "),
  ]);
  return table([["name", "state", "made", "images today", "limits"], ...rows]);
}

/** Usage for a spreadsheet. @param nameOf a key's id. */
export function usageCsv(usage: readonly Usage[], nameOf: (owner: string) => string): string {
  const rows = usage.map(({ day, owner, images, pixelSteps, failures }) =>
    [day, quoted(nameOf(owner)), images, pixelSteps, failures].join()
  );
  return ["day,key,images,pixel_steps,failures", ...rows].join("\n");
}

export function usageText(usage: readonly Usage[], nameOf: (owner: string) => string): string {
  const rows = usage.map(({ day, owner, images, pixelSteps, failures }) =>
    [day, nameOf(owner), images, pixelSteps, failures].map(String)
  );
  return table([["day", "key", "images", "pixel-steps", "failures"], ...rows]);
}

function limitsText(limits: KeyLimits): (readonly [string, string])[] {
  const { requestsPerMinute, imagesPerDay, jobs, models, nsfw } = limits;
  const shown: (readonly [string, unknown])[] = [
    ["rate", requestsPerMinute],
    ["images", imagesPerDay],
    ["jobs", jobs],
    ["models", models?.join(" ")],
    ["nsfw", nsfw],
  ];
  return shown.flatMap(([what, value]) => value === undefined ? [] : [[what, String(value)]]);
}

function stateOf({ revoked, expires }: KeptKey, now: number): string {
  if (revoked !== undefined) return "revoked";
  return expires !== undefined && expires <= now ? "expired" : "valid";
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** What a spreadsheet would take for a formula, or for two fields, is quoted. */
function quoted(text: string): string {
  const harmless = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()
  ).join("\n");
}
