// Photo mode: a picture goes to the server in one call and its result comes back in the answer. The server keeps neither.

const SNAPSHOT_WIDTH = 1280;
const SNAPSHOT_QUALITY = 0.92;
const ANSWER_MS = 120000;
const NEXT_STEP = {
  wait: " Nothing is lost: try again in a moment.",
  reload: " Reload the page, then try again.",
  nothing: "",
};
const HIGHEST = 0.07;            // above a box that begins so near the picture's edge there is no room for its number

const photo = element.querySelector("#photo");
const input = photo.querySelector("#photo-file");
const statusLine = photo.querySelector(".status");
const invite = photo.querySelector(".invite");
const snapshot = photo.querySelector(".snapshot");
const video = snapshot.querySelector("video");
const result = photo.querySelector(".result");
const boxes = result.querySelector(".boxes");
const working = photo.querySelector(".working");
const more = photo.querySelector(".more");
const another = photo.querySelector("#photo-another");
const panel = new AttributePanel(photo.querySelector(".attributes"));
const buttons = new FaceButtons(photo.querySelector(".faces"), choose);
const limit = Number(props.largest_bytes);

let shown = null;                // the answer on the page
let asking = false;
let next = null;                 // the request that is sent when the present one is answered
let picked = 0;                  // how many photos were chosen, in whatever way
let links = [];                  // blob addresses of the downloads on the page

photo.querySelector("#photo-choose").addEventListener("click", () => input.click());
another.addEventListener("click", () => {
  showOnly(result.hidden ? result : invite);
  if (result.hidden) photo.querySelector("#photo-choose").focus({preventScroll: true});
  sayWhatIsShown();
});
photo.querySelector("#photo-snapshot").addEventListener("click", openSnapshot);
photo.querySelector("#photo-capture").addEventListener("click", takeSnapshot);
photo.querySelector("#photo-cancel").addEventListener("click", () => {
  closeSnapshot();
  sayWhatIsShown();
});
photo.querySelector(".examples").addEventListener("click", (event) => {
  const button = event.target.closest("[data-example]");
  if (!button) return;
  picked++;
  analyse({example: button.dataset.example});
});
boxes.addEventListener("click", (event) => {
  const box = event.target.closest("[data-box]");
  if (box) choose(Number(box.dataset.box));
});
input.addEventListener("change", () => {
  const file = input.files[0];
  if (file) analyseFile(file).finally(() => { input.value = ""; });    // the same file may be chosen again
});
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files][0];
  if (file) analyseFile(file);
});
// A picture that is dropped beside the panel must not replace the page.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  photo.classList.toggle("dragged", photo.contains(event.target));
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) photo.classList.remove("dragged");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  photo.classList.remove("dragged");
  if (!photo.contains(event.target)) return;
  const file = event.dataTransfer.files[0];
  if (file) analyseFile(file);
  else say(statusLine, "That was not a file. Save the picture first, then drop the file here.", "problem");
});

async function analyseFile(file) {
  if (file.size > limit) {
    say(statusLine, `${file.name} is larger than ${Math.round(limit / 2 ** 20)} MB. Choose a smaller picture.`, "problem");
    return;
  }
  if (file.size === 0) {
    say(statusLine, `${file.name} is empty. Choose another picture.`, "problem");
    return;
  }
  const mine = ++picked;
  let address;
  try {
    address = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(file);
    });
  } catch (error) {
    if (mine !== picked) return;
    say(statusLine, `The browser could not read ${file.name}. Choose another picture.`, "problem");
    return;
  }
  if (mine !== picked) return;    // another photo was chosen later, and was there sooner
  await analyse({picture: address.slice(address.indexOf(",") + 1), name: file.name});
}

// What stands on the page stays there until an answer with a result replaces it. Of photos that come in the meantime the
// last one is analysed next.
async function analyse(request) {
  if (asking) {
    next = request;
    say(statusLine, "This photo comes next, when the one before it is done.", "waiting");
    return;
  }
  asking = true;
  closeSnapshot();
  photo.removeAttribute("data-faces");    // until the answer is here, nobody should read the old number for the new one
  photo.setAttribute("aria-busy", "true");
  working.hidden = false;
  say(statusLine, "Looking for faces…");
  const answer = await askServer(ANSWER_MS, () => server.analyse_photo(request));
  working.hidden = true;
  photo.removeAttribute("aria-busy");
  asking = false;
  if (answer.faces) show(answer);
  else say(statusLine, answer.error ?? answer.failure.text + NEXT_STEP[answer.failure.helps], "problem");
  photo.dataset.faces = String(shown ? shown.faces.length : 0);
  if (next) {
    const request = next;
    next = null;
    await analyse(request);
  }
}

function show(answer) {
  closeCamera(video);    // a snapshot that was begun while the answer was awaited
  shown = answer;
  result.querySelector("img").src = answer.picture;
  result.style.setProperty("--ratio", String(answer.width / answer.height));
  boxes.replaceChildren(...answer.faces.map(boxElement));
  buttons.show(answer.faces.map((face) => face.number), 1, answer.faces.map((face) => face.crop));
  offerDownloads(answer);
  showOnly(result);
  more.hidden = answer.faces.length === 0;
  if (answer.faces.length === 0) panel.clear();
  else choose(1);
  sayWhatIsShown();
}

function sayWhatIsShown() {
  const count = shown?.faces.length;
  if (!shown) say(statusLine, "No photo yet.");
  else if (result.hidden) say(statusLine, "The photo before is kept until another one takes its place.");
  else if (count === 0) say(statusLine, "No face was found. Try a photo in which a face is larger, sharper or turned to the camera.", "waiting");
  else say(statusLine, count === 1 ? "One face." : `${count} faces. Choose one by its box or its button.`);
}

function boxElement(face) {
  const [x, y, width, height] = face.box;
  const box = document.createElement("div");
  box.dataset.box = String(face.number);
  box.style.setProperty("--face", faceColour(face.number));
  box.style.left = `${100 * x / shown.width}%`;
  box.style.top = `${100 * y / shown.height}%`;
  box.style.width = `${100 * width / shown.width}%`;
  box.style.height = `${100 * height / shown.height}%`;
  const number = document.createElement("span");
  number.textContent = String(face.number);
  box.append(number);
  box.classList.toggle("highest", y < HIGHEST * shown.height);
  return box;
}

function choose(number) {
  const face = shown.faces[number - 1];
  buttons.show(shown.faces.map((face) => face.number), number);
  for (const box of boxes.children) box.classList.toggle("chosen", Number(box.dataset.box) === number);
  more.querySelector(".crop img").src = face.crop;
  panel.show(face.probabilities, null, face.doubts);
}

// The results as files, made from the answer in this page.
function offerDownloads(answer) {
  links.forEach((link) => URL.revokeObjectURL(link));
  const stem = answer.name.replace(/\.[^.]*$/, "");
  const files = {
    json: [`${stem}-faces.json`, new Blob([answer.json], {type: "application/json"})],
    csv: [`${stem}-faces.csv`, new Blob([answer.csv], {type: "text/csv"})],
    picture: [`${stem}-faces.jpg`, new Blob([bytesOf(answer.annotated)], {type: "image/jpeg"})],
  };
  links = [];
  for (const link of more.querySelectorAll("[data-download]")) {
    const [name, blob] = files[link.dataset.download];
    link.download = name;
    link.href = URL.createObjectURL(blob);
    links.push(link.href);
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function showOnly(part) {
  const focused = document.activeElement;
  for (const other of [invite, snapshot, result]) other.hidden = other !== part;
  another.hidden = !shown || part === snapshot;
  another.textContent = part === result ? "Another photo" : "Back to the photo";
  // Whoever works by keyboard goes on at what took the place of the button that was pressed.
  if (focused?.closest("#photo [hidden]")) {
    const next = part === result ? another : part.querySelector(".primary");
    next.focus({preventScroll: true});
  }
}

async function openSnapshot() {
  showOnly(snapshot);
  say(statusLine, "Waiting for the camera. Your browser may ask you to allow it.");
  try {
    const wanted = panel.settings.values.camera;
    const track = await openCamera(video, wanted);
    if (!track) return;    // cancelled while the browser asked
    say(statusLine, `${otherCamera(track, wanted)} Look into the camera, then capture.`.trim());
    track.addEventListener("ended", () => {
      if (!video.srcObject?.getTracks().includes(track)) return;
      closeSnapshot();
      say(statusLine, "The camera was disconnected. Connect it and try again.", "problem");
    });
  } catch (error) {
    closeSnapshot();
    say(statusLine, error.message, "problem");
  }
}

function takeSnapshot() {
  if (!video.videoWidth) return;
  const canvas = document.createElement("canvas");
  drawScaled(video, canvas, video.videoWidth, video.videoHeight, SNAPSHOT_WIDTH);
  const address = encodeFrame(canvas, SNAPSHOT_QUALITY);
  closeSnapshot();
  picked++;
  analyse({picture: address.slice(address.indexOf(",") + 1), name: "snapshot.jpg"});
}

function closeSnapshot() {
  closeCamera(video);
  if (!snapshot.hidden) showOnly(shown ? result : invite);
}
