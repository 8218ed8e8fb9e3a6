const GAP = "  ";

/** Rows of cells as lines, each column as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, k) => Math.max(cell.length, most[k] ?? 0)),
    [],
  );
  return rows.map((row) => row.map((cell, k) => cell.padEnd(widths[k])).join(GAP).trimEnd());
}
