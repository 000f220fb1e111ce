// Saves what the page has made, among the visitor's downloads.

const FREED_AFTER_MS = 60_000; // browsers may read a download's blob late

/**
 * @param {Blob} blob
 * @param {string} name - of the file
 */
export function saveFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), FREED_AFTER_MS);
}
