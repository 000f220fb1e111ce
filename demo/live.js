// Live mode: one frame in flight; when its answer is here it is painted with its boxes, and the newest frame is sent.

const SENT_WIDTH = 480;          // pixels of the longer side sent to the server
const VIEW_WIDTH = 960;          // pixels of the longer side shown
const JPEG_QUALITY = 0.8;
const ANSWER_MS = 8000;
const RETRY_MS = [300, 600, 1200, 2000];
const BUSY_MS = 250;

const live = element.querySelector("#live");
const video = live.querySelector("video");
const view = live.querySelector("canvas");
const startButton = live.querySelector("#live-start");
const stopButton = live.querySelector("#live-stop");
const statusLine = live.querySelector(".status");
const meter = live.querySelector(".meter");
const panel = new AttributePanel(live.querySelector(".attributes"));
const buttons = new FaceButtons(live.querySelector(".faces"), choose);
const taken = document.createElement("canvas");   // the frame in flight, as it will be shown
const sent = document.createElement("canvas");    // the same, as it is sent

const visitor = Math.random().toString(36).slice(2);    // lets the server hold one frame of each page, no more

let session = null;              // what belongs to one press of Start; null while the camera is off
let painted = {faces: [], width: 1, height: 1};
let chosen = 1;

startButton.addEventListener("click", start);
stopButton.addEventListener("click", () => stop("The camera is off."));
view.addEventListener("click", chooseAt);

async function start() {
  if (session) return;
  const mine = session = {newest: null, wake: null, started: performance.now(), times: []};
  live.dataset.state = "starting";
  startButton.disabled = true;
  say(statusLine, "Waiting for the camera. Your browser may ask you to allow it.");
  try {
    if (!video.requestVideoFrameCallback) throw new Error("This browser is too old for live mode. Update it, or use a photo.");
    const stream = await openCamera(video);
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (session === mine) stop("The camera was disconnected. Connect it and start again.", "problem");
    });
  } catch (error) {
    if (session === mine) stop(error.message, "problem");
    return;
  }
  stopButton.hidden = false;
  stopButton.focus({preventScroll: true});
  say(statusLine, "Looking for a face…");
  video.requestVideoFrameCallback((now, metadata) => noteFrame(mine, now, metadata));
  analyseFrames(mine);
}

function stop(message, kind = "plain") {
  session?.wake?.();
  session = null;
  closeCamera(video);
  live.dataset.state = "off";
  startButton.disabled = false;
  if (document.activeElement === stopButton) startButton.focus({preventScroll: true});
  stopButton.hidden = true;
  meter.textContent = "";
  painted = {faces: [], width: 1, height: 1};
  live.dataset.faces = "0";
  view.hidden = true;
  buttons.show([], chosen);
  panel.clear();
  say(statusLine, message, kind);
}

function noteFrame(mine, now, metadata) {
  if (session !== mine) return;
  mine.newest = metadata.captureTime ?? now;
  mine.wake?.();
  video.requestVideoFrameCallback((later, details) => noteFrame(mine, later, details));
}

// The capture time of a frame that was not sent yet: the present one, or else the next.
async function newestFrame(mine) {
  if (mine.newest === null) await new Promise((resolve) => { mine.wake = resolve; });
  const captured = mine.newest;
  mine.newest = mine.wake = null;
  return captured;
}

async function analyseFrames(mine) {
  let failures = 0;
  while (session === mine) {
    const captured = await newestFrame(mine);
    if (session !== mine) return;
    drawScaled(video, taken, video.videoWidth, video.videoHeight, VIEW_WIDTH);
    drawScaled(taken, sent, taken.width, taken.height, SENT_WIDTH);
    const answer = await answerWithin(ANSWER_MS, server.analyse_frame({visitor, frame: encodeFrame(sent, JPEG_QUALITY)}));
    if (session !== mine) return;
    if (answer?.faces) {
      failures = 0;
      paint(answer);
      live.dataset.latencyMs = (performance.now() - captured).toFixed(1);
      measure(mine);
    } else if (answer?.busy) {
      say(statusLine, "Many visitors at once: your turn comes in a moment.", "waiting");
      await pause(BUSY_MS);
    } else {
      live.dataset.state = "waiting";
      say(statusLine, answer?.error ?? "The server does not answer. Trying again…", "problem");
      await pause(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    }
  }
}

// Paints the very frame that was analysed, mirrored, with a numbered box around each face.
function paint(answer) {
  live.dataset.state = "on";
  view.hidden = false;
  keepChoice(answer);
  painted = answer;
  if (view.width !== taken.width) view.width = taken.width;
  if (view.height !== taken.height) view.height = taken.height;
  const context = view.getContext("2d", {alpha: false});
  context.setTransform(-1, 0, 0, 1, view.width, 0);
  context.drawImage(taken, 0, 0);
  context.setTransform(1, 0, 0, 1, 0, 0);
  for (const face of answer.faces) drawFace(context, face);
  const count = answer.faces.length;
  buttons.show(answer.faces.map((face) => face.number), chosen);
  if (count) {
    panel.show(answer.faces[chosen - 1].probabilities);
    say(statusLine, count === 1 ? "One face." : `${count} faces. Choose one by its box or its button.`);
  } else {
    panel.clear();
    say(statusLine, "No face in the picture. Come closer, or turn towards the camera.", "waiting");
  }
  live.dataset.faces = String(count);
  live.dataset.frame = String(Number(live.dataset.frame) + 1);
}

// The box of a face on the mirrored view, in pixels of the canvas.
function viewBox(face, frame) {
  const [scaleX, scaleY] = [view.width / frame.width, view.height / frame.height];
  const [x, y, width, height] = face.box;
  return [view.width - (x + width) * scaleX, y * scaleY, width * scaleX, height * scaleY];
}

function drawFace(context, face) {
  const [x, y, width, height] = viewBox(face, painted);
  const unit = view.width / 640;
  context.lineWidth = (face.number === chosen ? 4 : 2) * unit;
  context.strokeStyle = context.fillStyle = faceColour(face.number);
  context.beginPath();
  context.roundRect(x, y, width, height, 10 * unit);
  context.stroke();
  context.beginPath();
  context.arc(x + 4 * unit, y + 4 * unit, 13 * unit, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = "#0b1315";
  context.font = `600 ${16 * unit}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(face.number), x + 4 * unit, y + 5 * unit);
}

function choose(number) {
  chosen = number;
  buttons.show(painted.faces.map((face) => face.number), chosen);
  if (painted.faces[chosen - 1]) panel.show(painted.faces[chosen - 1].probabilities);
}

function chooseAt(event) {
  const area = view.getBoundingClientRect();
  const scale = Math.min(area.width / view.width, area.height / view.height);    // object-fit: contain
  const x = (event.clientX - area.left - area.width / 2) / scale + view.width / 2;
  const y = (event.clientY - area.top - area.height / 2) / scale + view.height / 2;
  const hit = painted.faces.find((face) => {
    const [left, top, width, height] = viewBox(face, painted);
    return x >= left && x <= left + width && y >= top && y <= top + height;
  });
  if (hit) choose(hit.number);
}

// Faces are numbered anew in each frame: the chosen one is the one whose box lies nearest to where it was.
function keepChoice(answer) {
  const before = painted.faces[chosen - 1];
  if (!answer.faces.length) return;
  if (!before) {
    chosen = Math.min(chosen, answer.faces.length);
    return;
  }
  const centre = (face, frame) => [(face.box[0] + face.box[2] / 2) / frame.width, (face.box[1] + face.box[3] / 2) / frame.height];
  const [oldX, oldY] = centre(before, painted);
  const distance = (face) => Math.hypot(centre(face, answer)[0] - oldX, centre(face, answer)[1] - oldY);
  chosen = answer.faces.reduce((best, face) => (distance(face) < distance(best) ? face : best)).number;
}

// Frames painted in the last two seconds, as a rate.
function measure(mine) {
  const now = performance.now();
  mine.times.push(now);
  while (mine.times[0] < now - 2000) mine.times.shift();
  const seconds = Math.min(2, (now - mine.started) / 1000);
  const text = `${Math.round(mine.times.length / seconds)} fps`;
  if (meter.textContent !== text) meter.textContent = text;
}
