// Live mode: one frame in flight; when its answer is here it is painted with its boxes, and the newest frame is sent.

const VIEW_WIDTH = 960;          // pixels of the longer side shown
const ANSWER_MS = 8000;
const RETRY_MS = [300, 600, 1200, 2000];
const RELOAD_FAILURES = 4;       // so many in a row mean that trying again does not help, where the server answers something else
const BUSY_MS = 250;
const CAMERA_MS = 2000;          // how often a camera that went is looked for
const CROP_MS = 100;             // the crop is asked for no more often
const OUT_OF_SIGHT_MS = 1000;    // the chosen face may be hidden for so long before another one takes its place
const SETTLED_MS = 300;          // what is true for a shorter time is not worth a sentence

const ADVICE = {
  small: "Too small to be read well: come closer.",
  turned: "Turned too far: look towards the camera.",
  blurred: "Blurred: hold still, or clean the lens.",
  dark: "Too dark: turn towards the light.",
};
const FROZEN = "Frozen. Nothing is sent until you go on.";
const CAMERA_GONE = "The camera was disconnected. Live goes on when it is back, or with another one that you choose.";

const live = element.querySelector("#live");
const video = live.querySelector("video");
const view = live.querySelector("canvas");
const startButton = live.querySelector("#live-start");
const stopButton = live.querySelector("#live-stop");
const reloadButton = live.querySelector("#live-reload");
const statusLine = live.querySelector(".status");
const flowLine = live.querySelector(".flow");
const cameraLine = live.querySelector(".other-camera");
const crop = live.querySelector(".crop");
const panel = new AttributePanel(live.querySelector(".attributes"));
const buttons = new FaceButtons(live.querySelector(".faces"), choose);
const overlay = new Overlay(view, choose);
const timeline = new Timeline(live.querySelector(".timeline"), panel.attributes, (index) => panel.shows(index));
const speed = new SpeedPanel(live.querySelector(".speed"));
const controls = new Controls(live, {
  start: () => (session ? stop("The camera is off.") : start()),
  freeze,
  mirror: () => {
    panel.settings.change({mirror: !overlay.mirror});
    mirror(!overlay.mirror);
  },
  camera: useCamera,
  face: (number) => overlay.answer.faces.some((face) => face.number === number) && choose(number),
});
const sent = document.createElement("canvas");
let taken = document.createElement("canvas");    // the frame in flight, as it will be shown
let spare = document.createElement("canvas");    // the one before, on the page

let session = null;              // what belongs to one press of Start; null while the camera is off
let chosen = null;               // number of the face whose attributes are shown
let settling = {text: "", since: 0};

startButton.addEventListener("click", start);
stopButton.addEventListener("click", () => stop("The camera is off."));
reloadButton.addEventListener("click", () => location.reload());
document.addEventListener("visibilitychange", waitWhileHidden);
window.addEventListener("pagehide", () => session && stop("The camera is off."));
navigator.mediaDevices?.addEventListener("devicechange", () => session?.camera && offerCameras(session));
mirror(panel.settings.values.mirror ?? true);

async function start() {
  if (session) return;
  const mine = session = {
    visitor: Math.random().toString(36).slice(2),    // lets the server tell the frames of this page from others'
    flow: new Flow(),
    steadier: new Steadier(),
    track: null,                 // of the camera, null while it is not there
    camera: null,                // {deviceId, label} of the last one that was there
    newest: null,                // capture time of the frame that the video shows, null once it was sent
    wake: null,
    frozen: false,
    seen: 0,                     // when the chosen face was seen last
    cropAsked: 0,
  };
  live.dataset.state = "starting";
  startButton.disabled = true;
  stopButton.hidden = false;
  say(statusLine, "Waiting for the camera. Your browser may ask you to allow it.");
  try {
    if (!video.requestVideoFrameCallback) throw new Error("This browser is too old for live mode. Update it, or use a photo.");
    await takeCamera(mine);
  } catch (error) {
    if (session === mine) stop(error.message, "problem");
    return;
  }
  if (session !== mine) return;
  stopButton.focus({preventScroll: true});
  say(statusLine, "Looking for a face…");
  video.requestVideoFrameCallback((now, metadata) => noteFrame(mine, now, metadata));
  analyseFrames(mine);
}

function stop(message, kind = "plain") {
  const {visitor, wake} = session;
  session = null;
  wake?.();
  server.analyse_frame({visitor, leave: true}).catch(() => undefined);    // its place is free for somebody else
  closeCamera(video);
  live.dataset.state = "off";
  live.dataset.faces = "0";
  startButton.disabled = false;
  if (live.contains(document.activeElement)) startButton.focus({preventScroll: true});
  stopButton.hidden = reloadButton.hidden = view.hidden = crop.hidden = flowLine.hidden = cameraLine.hidden = true;
  controls.press("freeze", false);
  chosen = null;
  overlay.clear();
  speed.clear();
  buttons.show([], chosen);
  panel.clear();
  timeline.stop("The camera is off. Numbers only, no picture.");
  say(statusLine, message, kind);
}

// Opens a camera for this session, unless it is stopped or another camera chosen while the browser asks; throws what
// openCamera throws.
async function takeCamera(mine, wanted = panel.settings.values.camera) {
  mine.track = null;
  const track = await openCamera(video, wanted);
  if (!track) return;
  const {deviceId = "", facingMode} = track.getSettings();
  Object.assign(mine, {track, camera: {deviceId, label: track.label}, newest: null});
  showRemark(cameraLine, otherCamera(track, wanted));
  track.addEventListener("ended", () => { if (mine.track === track) awaitCamera(mine); });
  track.addEventListener("mute", () => { if (mine.track === track) wait(mine, "The camera gives no picture at the moment."); });
  mirror(panel.settings.values.mirror ?? facingMode !== "environment");
  offerCameras(mine);
}

// The camera went by itself: unplugged, or taken by the system.
async function awaitCamera(mine) {
  mine.track = null;
  wait(mine, CAMERA_GONE);
  offerCameras(mine);
  while (session === mine && !mine.track) {
    await pause(CAMERA_MS);
    const {deviceId, label} = mine.camera;
    const back = (await listCameras()).some((other) => !deviceId || other.deviceId === deviceId || (label && other.label === label));
    if (session !== mine || mine.track || !back || document.hidden) continue;
    try {
      await takeCamera(mine, mine.camera);
      if (session === mine) sayWhatIsDone(mine);
    } catch (error) {
      if (session === mine && error.cause?.name === "NotAllowedError") stop(error.message, "problem");
    }
  }
}

async function offerCameras(mine) {
  controls.showCameras(await listCameras(), mine.track ? mine.camera.deviceId : null);
}

async function useCamera(camera) {
  const mine = session;
  panel.settings.change({camera});
  if (!mine) return say(statusLine, `The next start takes another camera: ${camera.label}.`);
  const waited = !mine.track;
  try {
    await takeCamera(mine);
    if (waited && session === mine && mine.track) sayWhatIsDone(mine);
  } catch (error) {
    if (session === mine) stop(error.message, "problem");
  }
}

function mirror(on) {
  overlay.mirror = on;
  live.classList.toggle("mirrored", on);
  controls.press("mirror", on);
  overlay.paint(chosen);
}

function freeze() {
  if (!session || !(session.frozen || live.dataset.state === "on")) return;
  session.frozen = !session.frozen;
  session.wake?.();
  controls.press("freeze", session.frozen);
  sayWhatIsDone(session);
}

function waitWhileHidden() {
  if (!session || live.dataset.state === "starting") return;
  session.newest = null;    // an old frame by the time that the tab is looked at again
  if (document.hidden) wait(session, "Live waits while this tab is hidden.");
  else sayWhatIsDone(session);
  session.wake?.();
}

// What stands on the page until the next frame is painted, after something has kept that from happening.
function sayWhatIsDone(mine) {
  if (!mine.track) return wait(mine, CAMERA_GONE);
  if (mine.frozen) live.dataset.state = "on";
  say(statusLine, mine.frozen ? FROZEN : "Looking for a face…");
}

function wait(mine, text) {
  if (session !== mine) return;
  live.dataset.state = "waiting";
  say(statusLine, text, "problem");
}

function noteFrame(mine, now, metadata) {
  if (session !== mine) return;
  mine.newest = metadata.captureTime ?? now;
  mine.wake?.();
  video.requestVideoFrameCallback((later, details) => noteFrame(mine, later, details));
}

// Whether there is a moving picture, and somebody to see it.
function isWatched(mine) {
  return mine.track && !mine.track.muted && !mine.frozen && !document.hidden;
}

// The capture time of a frame that was not sent yet: the present one, or else the next that is wanted.
async function nextFrame(mine) {
  while (session === mine && (mine.newest === null || !isWatched(mine))) {
    await new Promise((resolve) => { mine.wake = resolve; });
  }
  const captured = mine.newest;
  mine.newest = null;
  return captured;
}

async function analyseFrames(mine) {
  let failures = 0;
  for (;;) {
    const captured = await nextFrame(mine);
    if (session !== mine) return;
    const {answer, stages} = await ask(mine, captured);
    if (session !== mine) return;
    if (answer.faces) {
      failures = 0;
      show(mine, answer, captured, stages);
    } else if (answer.busy) {
      say(statusLine, "Many visitors at once: your turn comes in a moment.", "waiting");
      await pause(BUSY_MS);
    } else {
      failures += 1;
      explain(mine, answer, failures);
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
    }
  }
}

// Sends the frame that the video shows: the server's answer, and the milliseconds of each stage on the way.
async function ask(mine, captured) {
  drawScaled(video, taken, video.videoWidth, video.videoHeight, VIEW_WIDTH);
  const drawn = performance.now();
  drawScaled(taken, sent, taken.width, taken.height, mine.flow.width);
  const frame = encodeFrame(sent, mine.flow.quality);
  const encoded = performance.now();
  const wantsCrop = encoded - mine.cropAsked >= CROP_MS;
  if (wantsCrop) mine.cropAsked = encoded;
  const message = {visitor: mine.visitor, frame, crop: wantsCrop ? chosen : null};
  const answer = await askServer(ANSWER_MS, () => server.analyse_frame(message));
  const away = performance.now() - encoded;
  if (answer.faces || away >= ANSWER_MS) mine.flow.note(away);
  const atServer = answer.ms ?? {};
  const network = Math.max(0, away - Object.values(atServer).reduce((sum, part) => sum + part, 0));
  return {answer, stages: {capture: drawn - captured, encode: encoded - drawn, network, ...atServer}};
}

// Says why there is no result, and offers to reload the page where trying again does not help.
function explain(mine, {error, failure = NO_ANSWER}, failures) {
  if (error) return wait(mine, error);
  const reload = failure.helps === "reload" && failures >= RELOAD_FAILURES;
  const way = {wait: " Trying again…", reload: reload ? " Reload the page to go on." : " Trying again…", nothing: ""}[failure.helps];
  wait(mine, failure.text + way);
  reloadButton.hidden = !reload;
}

// Paints the very frame that was analysed, so that no box trails its face.
function show(mine, answer, captured, stages) {
  const began = performance.now();
  const {faces} = answer;
  [taken, spare] = [spare, taken];
  keepChoice(mine, faces, began);
  overlay.show(spare, answer, chosen);
  if (isWatched(mine)) {    // else this frame was the last one in flight, and the page says already what it waits for
    live.dataset.state = "on";
    saySettled(...describe(faces), began);
  }
  view.hidden = false;
  reloadButton.hidden = true;
  buttons.show(faces.map(({number}) => number), chosen);
  showAttributes(mine, faces, began);
  showFlow(mine.flow);
  const painted = performance.now();
  stages.paint = painted - began;
  const latency = painted - captured;
  speed.note(painted, latency, stages);
  live.dataset.latencyMs = latency.toFixed(1);
  live.dataset.faces = String(faces.length);
  live.dataset.frame = String(Number(live.dataset.frame) + 1);
  const detail = {frame: Number(live.dataset.frame), latency, faces: faces.length, stages};
  live.dispatchEvent(new CustomEvent("live-frame", {bubbles: true, detail}));
}

function showAttributes(mine, faces, now) {
  mine.steadier.calm = panel.calm;
  mine.steadier.forget(now);
  for (const face of faces) {
    const {probabilities, ticks} = mine.steadier.update(face.number, face.probabilities, now, panel.thresholds);
    if (face.number === chosen) panel.show(probabilities, ticks, face.doubts);
  }
  // A face that is missed in a frame or two takes nothing off the page; the reason is told when the boxes are emptied.
  if (!faces.length && now - mine.seen < SETTLED_MS) panel.fade();
  else if (!faces.length) panel.clear();
  timeline.add(now, faces);
  const picture = faces.find(({number}) => number === chosen)?.crop;
  if (picture) crop.firstElementChild.src = picture;
  crop.hidden = !faces.length || (crop.hidden && !picture);
}

function showFlow(flow) {
  live.dataset.sentWidth = String(flow.width);
  showRemark(flowLine, flow.reduced ? `The server is slow or far: pictures of ${flow.width} pixels are sent instead of 480.` : "");
}

// A sentence below the picture that stands for as long as it is true.
function showRemark(line, text) {
  line.hidden = !text;
  if (line.textContent !== text) line.textContent = text;
}

// What to say about the faces of a frame, and of which kind it is.
function describe(faces) {
  if (!faces.length) return ["No face in sight: come closer.", "waiting"];
  const face = faces.find(({number}) => number === chosen);
  if (!face) return [`Face ${chosen} is out of sight.`, "waiting"];
  if (face.doubts.length) return [ADVICE[face.doubts[0]], "waiting"];
  return [faces.length === 1 ? "One face." : `${faces.length} faces. Choose one by its box or its button.`, "plain"];
}

function saySettled(text, kind, now) {
  if (settling.text !== text) settling = {text, since: now};
  if (now - settling.since >= SETTLED_MS) say(statusLine, text, kind);
}

function choose(number) {
  if (number === chosen) return;
  chosen = number;
  session.seen = performance.now();
  session.cropAsked = 0;
  crop.hidden = true;    // it is another face's, until the next one comes
  buttons.show(overlay.answer.faces.map((face) => face.number), chosen);
  overlay.paint(chosen);
  const face = overlay.answer.faces.find((other) => other.number === chosen);
  if (!isWatched(session)) panel.show(face.probabilities, null, face.doubts);    // else the next frame does
}

// The chosen face stays it while it is there; of new ones the largest is taken, who sits before the camera.
function keepChoice(mine, faces, now) {
  const there = faces.some(({number}) => number === chosen);
  if (there || !faces.length) {
    if (there) mine.seen = now;
  } else if (chosen === null || now - mine.seen > OUT_OF_SIGHT_MS) {
    const area = ({box}) => box[2] * box[3];
    chosen = faces.reduce((largest, face) => (area(face) > area(largest) ? face : largest)).number;
    mine.seen = now;
  }
}
