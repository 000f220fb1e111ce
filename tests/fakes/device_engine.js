// Replaces demo/browser/device/engine.js. It answers at once with `window.device.faces`, once the test lets it load. A
// face has its `why` only if that is asked for. `window.device.lose` ends it as if its worker had died.

window.device = {asked: [], wait: null, problem: "", ...window.device};

export const CLOSED = "Reading on this device has ended.";

export async function createDeviceEngine({base, onProgress}) {
  window.device.base = base;
  onProgress({loaded: 4e6, total: 16e6});
  await window.device.wait;
  if (window.device.problem) throw new Error(window.device.problem);
  onProgress({loaded: 16e6, total: 16e6});
  return {
    async analyse(frame, options) {
      window.device.asked.push({size: frame.size ?? frame.width, ...options});
      const isPicture = !(frame instanceof Blob) || (await createImageBitmap(frame).catch(() => null));
      if (!isPicture) return {error: "This browser cannot open the picture."};
      const faces = window.device.faces.map(({why, ...face}) =>
        why && options.why?.face === face.number ? {...face, why} : face,
      );
      const ms = {wait: 1, decode: 2, detect: 3, align: 4, infer: 5};
      return {width: 480, height: 360, faces, ms};
    },
    whenLost(listener) {
      window.device.lose = listener;
    },
    close() {},
  };
}
