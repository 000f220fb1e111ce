// Notes when gr.Image shows an analysed frame, and how old the frame is by then. gr.Image does not say, so frames are
// recognised by the number that each shows (demo/benchmark/browser.py). FILM is defined before this script: its frames,
// its rate, the bits of a number and the height of the strip with the number.

window.noted = [];
const captured = new Map();    // number of a frame -> when the camera took it, in ms
const reader = new OffscreenCanvas(FILM.bits, 1).getContext("2d", {willReadFrequently: true});

function filmNumber(picture, width, height) {
  reader.drawImage(picture, 0, height - FILM.strip, width, FILM.strip, 0, 0, FILM.bits, 1);
  const pixels = reader.getImageData(0, 0, FILM.bits, 1).data;
  let number = 0;
  for (let bit = 0; bit < FILM.bits; bit++) number = 2 * number + (pixels[4 * bit] > 127 ? 1 : 0);
  return number;
}

// How many milliseconds ago the camera took the frame with this number. A busy page sees few of the camera's frames, so
// this counts from the last one seen before it. Numbers recur with each round of the film: null if the frame may be
// from an earlier round.
function ageOf(number, now) {
  for (let back = 0; back < FILM.frames; back++) {
    const age = now - captured.get((number - back + FILM.frames) % FILM.frames);
    if (age < 1000 * FILM.frames / FILM.rate) return age - 1000 * back / FILM.rate;
  }
  return null;
}

// These events don't bubble, but can be captured on their way down.
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
  const latency = ageOf(filmNumber(image, width, image.naturalHeight), now);
  window.noted.push({at: performance.timeOrigin + now, latency, width, stages: {}});
}, true);
