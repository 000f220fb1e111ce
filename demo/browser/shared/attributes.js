// Shared by the live and the photo panel: the 40 checkboxes, the choice of a face, and what is said to the visitor.

const FACE_COLOURS = ["#2dd4bf", "#fbbf24", "#a78bfa", "#fb7185", "#60a5fa", "#a3e635"];
const LEGIBLE_MS = 150;          // how long a percentage stands at least: nobody reads one that changes with each frame
const DOUBTS = {small: "too small", turned: "turned too far away", blurred: "blurred", dark: "too dark"};

function faceColour(number) {
  return FACE_COLOURS[(number - 1) % FACE_COLOURS.length];
}

// The checkboxes of one panel. Only properties are set, the HTML is never rebuilt, so that a frame costs little.
class AttributePanel {
  constructor(root) {
    this.root = root;
    this.settings = new Settings();
    this.rows = [...root.querySelectorAll(".attribute")].map((row) => ({
      row,
      index: Number(row.dataset.index),
      box: row.querySelector("[data-attribute]"),
      bar: row.querySelector(".bar i"),
      percent: row.querySelector(".percent"),
      state: row.querySelector(".state"),
      impression: row.closest(".impressions") !== null,
    })).sort((one, other) => one.index - other.index);
    this.attributes = this.rows.map(({box}) => box.dataset.attribute);    // in the order of the probabilities
    this.doubt = root.querySelector(".doubt");
    root.addEventListener("click", (event) => {
      if (event.target.closest(".attribute :is(label, [data-attribute])")) event.preventDefault();  // must not change a result
    });
    this.toolbar = new Toolbar(root, this.settings);
    this.settings.onChange(() => this.applyThresholds());
    this.clear();
    this.applyThresholds();
  }

  // 0: raw, 1: calmest, as chosen on the slider.
  get calm() {
    return this.settings.values.calm;
  }

  // The probability above which an attribute is ticked.
  threshold(index) {
    return this.thresholds[index];
  }

  // False for an impression while they are switched off.
  shows(index) {
    return this.settings.values.impressions || !this.rows[index].impression;
  }

  // `ticks`, of a face that moves, are steadied and may trail their thresholds a little; without them all is shown at
  // once. `doubts`: keys of DOUBTS.
  show(probabilities, ticks = null, doubts = []) {
    this.face = {probabilities, ticks, doubts};
    const now = performance.now();
    const legible = !ticks || now - this.written >= LEGIBLE_MS;
    if (legible) this.written = now;
    else this.later ??= setTimeout(() => this.showAgain(), LEGIBLE_MS);
    this.root.classList.remove("empty");
    this.showDoubts(doubts);
    let turned = false;
    for (const row of this.rows) {
      const probability = probabilities[row.index];
      const on = ticks?.[row.index] ?? probability > this.thresholds[row.index];
      turned = this.showRow(row, probability, on, legible) || turned;
    }
    if (turned) this.toolbar.arrange();
  }

  // Gives whether the tick has changed.
  showRow(row, probability, on, legible) {
    // So that a tick that was steadied never stands beside a number from the other side of its threshold.
    const threshold = this.thresholds[row.index];
    const shown = on ? Math.max(probability, threshold) : Math.min(probability, threshold);
    const turned = row.on !== on;
    if (turned) {
      row.on = row.box.checked = on;
      row.row.classList.toggle("on", on);
    }
    const length = shown.toFixed(2);
    if (row.length !== length) row.bar.style.transform = `scaleX(${row.length = length})`;
    const text = `${Math.round(100 * shown)}%`;
    if (turned || (legible && row.text !== text)) {
      row.text = row.percent.textContent = text;
      row.state.textContent = `${on ? "yes" : "no"}, ${text}`;
    }
    return turned;
  }

  showDoubts(doubts) {
    const reasons = new Intl.ListFormat("en").format(doubts.map((doubt) => DOUBTS[doubt]));
    this.root.classList.toggle("doubtful", reasons !== "");
    const text = reasons && `Do not rely on these: the face is ${reasons}.`;
    if (this.doubt.textContent !== text) this.doubt.textContent = text;
  }

  // Leaves everything as it is, but greyed, until the next face is shown.
  fade() {
    this.root.classList.add("doubtful");
  }

  showAgain() {
    this.later = null;
    this.written = -Infinity;
    if (this.face) this.show(this.face.probabilities, this.face.ticks, this.face.doubts);
  }

  clear(message = "no face yet") {
    this.face = null;
    this.written = -Infinity;
    this.root.classList.add("empty");
    this.showDoubts([]);
    for (const row of this.rows) {
      row.on = row.box.checked = false;
      row.length = row.text = null;
      row.row.classList.remove("on");
      row.bar.style.transform = "scaleX(0)";
      row.percent.textContent = "–";
      row.state.textContent = message;
    }
    this.toolbar.arrange();
  }

  applyThresholds() {
    const chosen = this.settings.values.thresholds;
    this.thresholds = this.attributes.map((name) => chosen[name] ?? THRESHOLD);
    if (!this.face) return;
    this.face.ticks = null;    // they were steadied for other thresholds
    this.showAgain();
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

function pause(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
