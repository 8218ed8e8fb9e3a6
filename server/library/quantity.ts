/** Bytes for people, in powers of ten as disks are sold: `335 kB`, `2.1 GB`. */
export function byteSize(bytes: number): string {
  return `${scaled(bytes, ["", "k", "M", "G", "T"])}B`;
}

/** Parameters of a network, in millions and billions: `860 M`, `2.6 B`. */
export function parameterCount(count: number): string {
  return scaled(count, ["", "k", "M", "B"]).trimEnd();
}

function scaled(count: number, prefixes: readonly string[]): string {
  const power = Math.min(prefixes.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** power;
  const digits = power > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${prefixes[power]}`;
}
