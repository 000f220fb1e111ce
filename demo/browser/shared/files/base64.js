// Base64, in which pictures travel.

/**
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at); // Uint8Array.from would make a list first
  return bytes;
}

/** @param {string} address - a data: address in base64 */
export function base64Of(address) {
  return address.slice(address.indexOf(",") + 1);
}
