// Shared by the live and the photo panel: the 40 checkboxes, the choice of a face, and what is said to the visitor.

const THRESHOLD = 0.5;
const FACE_COLOURS = ["#2dd4bf", "#fbbf24", "#a78bfa", "#fb7185", "#60a5fa", "#a3e635"];

function faceColour(number) {
  return FACE_COLOURS[(number - 1) % FACE_COLOURS.length];
}

// The checkboxes of one panel. Only properties are set, the HTML is never rebuilt, so that a frame costs little.
class AttributePanel {
  constructor(root) {
    this.root = root;
    this.rows = [...root.querySelectorAll(".attribute")].map((row) => ({
      row,
      index: Number(row.dataset.index),
      box: row.querySelector("input"),
      bar: row.querySelector(".bar i"),
      percent: row.querySelector(".percent"),
      state: row.querySelector(".unseen"),
      shown: "",
    }));
    root.addEventListener("click", (event) => {
      if (event.target.closest(".attribute")) event.preventDefault();  // a click must not change a result
    });
    this.clear();
  }

  show(probabilities) {
    this.root.classList.remove("empty");
    for (const cell of this.rows) {
      const probability = probabilities[cell.index];
      const on = probability > THRESHOLD;
      if (cell.box.checked !== on) cell.box.checked = on;
      const text = `${Math.round(100 * probability)}%`;
      const shown = `${on} ${text}`;
      if (shown === cell.shown) continue;
      cell.shown = shown;
      cell.row.classList.toggle("on", on);
      cell.bar.style.transform = `scaleX(${probability.toFixed(2)})`;
      cell.percent.textContent = text;
      cell.state.textContent = `${on ? "yes" : "no"}, ${text}`;
    }
  }

  clear() {
    this.root.classList.add("empty");
    for (const cell of this.rows) {
      cell.box.checked = false;
      cell.shown = "";
      cell.row.classList.remove("on");
      cell.bar.style.transform = "scaleX(0)";
      cell.percent.textContent = "–";
      cell.state.textContent = "no face yet";
    }
  }
}

// One button per face. A button stays the same element while its face is there, so that it keeps the keyboard's focus.
class FaceButtons {
  constructor(root, onChoose) {
    this.root = root;
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-face]");
      if (button) onChoose(Number(button.dataset.face));
    });
  }

  // `numbers` from left to right; `pictures` beside them, or none.
  show(numbers, chosen, pictures = []) {
    for (const button of [...this.root.children]) {
      if (pictures.length || !numbers.includes(Number(button.dataset.face))) button.remove();
    }
    numbers.forEach((number, position) => {
      const button = this.root.querySelector(`[data-face="${number}"]`) ?? this.build(number, pictures[position]);
      const pressed = String(number === chosen);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    });
    this.root.hidden = numbers.length === 0;
  }

  build(number, picture) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.face = String(number);
    button.style.setProperty("--face", faceColour(number));
    if (picture) {
      const image = document.createElement("img");
      image.src = picture;
      image.alt = "";
      button.append(image);
    }
    button.append(`Face ${number}`);
    this.root.append(button);
    return button;
  }
}

// Says something in the panel's status line, and nothing twice (a screen reader would read it twice).
function say(line, text, kind = "plain") {
  if (line.textContent !== text) line.textContent = text;
  line.dataset.kind = kind;
}

// The server's answer to a call, undefined for every failure. Gradio gives nothing at all while a connection hangs.
function answerWithin(milliseconds, call) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, milliseconds); });
  return Promise.race([call.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}

function pause(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
