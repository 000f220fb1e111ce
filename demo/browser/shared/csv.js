// Cells of a CSV file.

/**
 * A text as a cell. A spreadsheet runs some texts as formulas; an apostrophe in front keeps them text.
 *
 * @param {string} text
 * @param {string[]} starts - what a text begins with that a spreadsheet would run
 */
export function asCell(text, starts) {
  const isNumber = /^-?\d*\.?\d+$/.test(text);
  const guarded = starts.some((start) => text.startsWith(start)) && !isNumber ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
