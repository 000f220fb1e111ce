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
  freeLater(link.href);
}

/**
 * Frees a blob once no download can need it any more.
 *
 * @param {string} address - of the blob
 */
export function freeLater(address) {
  setTimeout(() => URL.revokeObjectURL(address), FREED_AFTER_MS);
}
