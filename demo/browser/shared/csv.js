// Cells of a CSV file.

/**
 * A text as a cell. Spreadsheets run some texts as formulas; an apostrophe in front prevents that.
 *
 * @param {string} text
 * @param {string[]} starts - the beginnings of texts that a spreadsheet would run
 */
export function asCell(text, starts) {
  const isNumber = /^-?\d*\.?\d+$/.test(text);
  const guarded = starts.some((start) => text.startsWith(start)) && !isNumber ? `'${text}` : text;
  // Spreadsheets in other languages take a semicolon for the end of a cell, and run what begins after it.
  return /[",;\t\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
