import { displayWidth, padEnd, padStart } from "./width.ts";

/** A column of a table. */
export type Column = { readonly title: string; readonly right?: boolean };

const GAP = "  ";

/** Renders rows under titles so that columns line up, also with Chinese in them. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) => row.map(printable));
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => displayWidth(row[index] ?? ""))));
  const line = (row: readonly string[]): string =>
    columns
      .map(({ right }, index) => (right === true ? padStart : padEnd)(row[index] ?? "", widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  return cells.map(line).join("\n");
}

/** Renders names and values, one a line. */
export function renderFacts(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([name]) => displayWidth(name)));
  return facts.map(([name, value]) => `${padEnd(name, width)}${GAP}${printable(value)}`).join("\n");
}

// A name out of somebody's certificate must not move the cursor.
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\uFFFD");
}
