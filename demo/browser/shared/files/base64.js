// Base64, in which pictures travel.

/**
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** @param {string} address - a data: address in base64 */
export function base64Of(address) {
  return address.slice(address.indexOf(",") + 1);
}
