/** `132 us`, `4.56 ms`, `1.23 s`: three digits. */
export function formatMs(ms: number): string {
  if (!(ms < 1000)) return `${digits(ms / 1000)} s`;
  return ms < 1 ? `${digits(1000 * ms)} us` : `${digits(ms)} ms`;
}

/** Three digits that matter. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

/** `4.2x`; a dash where there is nothing to compare. */
export function times(ratio: number | undefined): string {
  return ratio === undefined ? "-" : `${digits(ratio)}x`;
}

export function percent(part: number | undefined): string {
  return part === undefined ? "-" : `${(100 * part).toFixed(0)}%`;
}

/** `+1.2%`, `-0.3%`: beyond what it is compared with. */
export function beyond(part: number): string {
  return `${part < 0 ? "" : "+"}${(100 * part).toFixed(1)}%`;
}

/** Half of p10 to p90, as a part of the median: what to add and take away. */
export function spread({ median, p10, p90 }: { median: number; p10: number; p90: number }): string {
  const part = (p90 - p10) / median / 2;
  return part < 9.995 ? `\u00b1${(100 * part).toFixed(0)}%` : `\u00b1${part.toFixed(0)}x`;
}

export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
