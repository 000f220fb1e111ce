// The camera, for live mode and for snapshots: opening it, closing it, and the one place that encodes a frame.

const CAMERA_MESSAGES = {
  NotAllowedError: "The browser refused the camera. Allow it for this page (the camera sign beside the address), then start again.",
  NotFoundError: "No camera was found. Connect one, or use a photo instead.",
  NotReadableError: "The camera is in use by another program, or does not answer. Close the other program, then start again.",
  OverconstrainedError: "This camera cannot give a usable picture. Try another camera, or use a photo instead.",
  AbortError: "The camera did not start. Start it again.",
};

const latestOpening = new WeakMap();    // video -> the call of openCamera that has it; none after closeCamera

// Opens a camera onto `video` and gives its track, or null where another call, or closeCamera, came while this one waited.
// Throws an Error whose message is meant for people, and whose cause is the browser's own error. Without a `deviceId`, or
// where that camera is gone, it is the front one.
async function openCamera(video, deviceId = "") {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("Browsers give the camera only to secure pages: open this page by https or as localhost. "
      + "Photos work here as they are.");
  }
  closeCamera(video);    // phones open no second camera beside the first
  const mine = Symbol("opening");
  latestOpening.set(video, mine);
  const overtaken = () => latestOpening.get(video) !== mine;
  try {
    const stream = await askForCamera(deviceId);
    if (overtaken()) {
      stopTracks(stream);
      return null;
    }
    video.srcObject = stream;
    await play(video);
    return overtaken() ? null : stream.getVideoTracks()[0];
  } catch (error) {
    if (overtaken()) return null;    // whoever came later has stopped this call's stream, and has the video now
    closeCamera(video);
    throw error;
  }
}

async function askForCamera(deviceId) {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: {
        ...(deviceId ? {deviceId: {ideal: deviceId}} : {facingMode: "user"}),
        width: {ideal: 640},
        height: {ideal: 480},
        frameRate: {ideal: 30},
      },
    });
  } catch (error) {
    throw new Error(CAMERA_MESSAGES[error.name] ?? `The camera did not start (${error.name}). Start it again.`, {cause: error});
  }
}

async function play(video) {
  try {
    await video.play();
  } catch (error) {
    throw new Error("The browser did not play the camera's picture. Start it again.", {cause: error});
  }
}

// The cameras of this device; their names are known only once the visitor has allowed one.
async function listCameras() {
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
}

function closeCamera(video) {
  latestOpening.delete(video);
  if (video.srcObject) stopTracks(video.srcObject);
  video.srcObject = null;
}

function stopTracks(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

// Draws `source` onto `canvas`, at most `longest` pixels on its longer side, aspect kept.
function drawScaled(source, canvas, width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const [scaledWidth, scaledHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== scaledWidth) canvas.width = scaledWidth;
  if (canvas.height !== scaledHeight) canvas.height = scaledHeight;
  canvas.getContext("2d", {alpha: false}).drawImage(source, 0, 0, scaledWidth, scaledHeight);
}

// One call for each frame that is sent. Synchronous on purpose: toBlob stalls beside a live camera.
function encodeFrame(canvas, quality) {
  return canvas.toDataURL("image/jpeg", quality);
}
