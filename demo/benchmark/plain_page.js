// Notes when gr.Image shows an analysed frame and how old it is then. gr.Image itself tells nothing, so frames are known
// by the number that the film carries in them (demo/chromium.py); STRIP and BITS are put in front of this script.

window.noted = [];
const captured = new Map();    // number of a frame -> when the camera took it, in ms
const reader = new OffscreenCanvas(BITS, 1).getContext("2d", {willReadFrequently: true});

function filmNumber(picture, width, height) {
  reader.drawImage(picture, 0, height - STRIP, width, STRIP, 0, 0, BITS, 1);
  const pixels = reader.getImageData(0, 0, BITS, 1).data;
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) number = 2 * number + (pixels[4 * bit] > 127 ? 1 : 0);
  return number;
}

// The events do not bubble, but they can be captured on their way down.
document.addEventListener("playing", ({target: video}) => {
  const note = (now, metadata) => {
    captured.set(filmNumber(video, video.videoWidth, video.videoHeight), metadata.captureTime ?? now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}, true);

document.addEventListener("load", ({target: image}) => {
  if (!image.closest?.("#answer")) return;
  const [now, width] = [performance.now(), image.naturalWidth];
  const age = now - captured.get(filmNumber(image, width, image.naturalHeight));
  // A number comes again with the next round of the film.
  window.noted.push({at: performance.timeOrigin + now, latency: age < FILM_MS ? age : null, width, stages: {}});
}, true);
