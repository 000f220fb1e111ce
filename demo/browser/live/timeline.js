// A recording of what live mode tells: the probabilities of each face over time, as a plot and as files. No picture is kept.

const LONGEST_MS = 30 * 60 * 1000;    // without pauses
const MOST_ROWS = 60000;         // some 30 MB: 33 minutes of one face at 30 frames a second
const WINDOW_MS = 30000;         // the last part, which the plot shows while it records
const REDRAW_MS = 250;
const GAP_MS = 2000;             // a face that was away for longer: its line has a gap
const MOST_LINES = 5;
const LINE_COLOURS = 6;          // --line-1 to --line-6 in timeline.css
const PLOT_HEIGHT = 150;
const NUMBERS_ONLY = "Records numbers, no picture.";

// Fixed text; whatever comes from elsewhere is set as textContent.
const TIMELINE = `
  <div class="timeline-head">
    <button type="button" class="quiet record" aria-pressed="false">Record</button>
    <span class="elapsed" aria-hidden="true"></span>
    <span class="told" role="status">${NUMBERS_ONLY}</span>
    <span class="saves" role="group" aria-label="Download the recording" hidden>
      <button type="button" class="quiet" data-save="csv">CSV</button>
      <button type="button" class="quiet" data-save="json">JSON</button>
      <button type="button" class="quiet discard">Discard</button>
    </span>
  </div>
  <div class="plot" hidden>
    <canvas role="img"></canvas>
    <div class="lines" role="group" aria-label="What the plot shows">
      <select class="whose" aria-label="Face"></select>
      <span class="chips"></span>
      <select class="adder" aria-label="Add an attribute to the plot"></select>
      <button type="button" class="quiet automatic" title="Show the attributes that vary most">Most varied</button>
    </div>
  </div>`;

// The numbers: one row for each face of each frame, in memory until they are discarded or the page is closed.
class Recording {
  constructor(attributes) {
    this.attributes = attributes;
    this.started = null;         // Date of the first frame
    this.origin = 0;             // its milliseconds on the clock that `add` is given
    this.latest = 0;             // those of the last frame
    this.resumed = false;        // whether the next frame is the first one after a pause
    this.paused = 0;             // milliseconds of all pauses together
    this.rows = [];              // {milliseconds since the first frame, face, probabilities}
    this.spreads = new Map();    // face -> {count, means, squares}, of which `varying` is told
  }

  add(milliseconds, faces) {
    if (!this.started) {
      this.started = new Date();
      this.origin = milliseconds;
    } else if (this.resumed) {
      this.paused += milliseconds - this.latest;
    }
    this.latest = milliseconds;
    this.resumed = false;
    for (const {number, probabilities} of faces) {
      const row = {milliseconds: Math.round(milliseconds - this.origin), face: number, probabilities: Float32Array.from(probabilities)};
      this.rows.push(row);
      this.note(row);
    }
  }

  // Welford's running variance.
  note({face, probabilities}) {
    const size = this.attributes.length;
    if (!this.spreads.has(face)) this.spreads.set(face, {count: 0, means: new Float64Array(size), squares: new Float64Array(size)});
    const spread = this.spreads.get(face);
    spread.count++;
    probabilities.forEach((probability, index) => {
      const difference = probability - spread.means[index];
      spread.means[index] += difference / spread.count;
      spread.squares[index] += difference * (probability - spread.means[index]);
    });
  }

  get faces() {
    return [...this.spreads.keys()].sort((one, other) => one - other);
  }

  get length() {
    return this.rows.at(-1)?.milliseconds ?? 0;
  }

  // How much of its length was recorded.
  get recorded() {
    return this.length - this.paused;
  }

  get full() {
    return this.recorded >= LONGEST_MS || this.rows.length >= MOST_ROWS;
  }

  // Places of the attributes that vary most for a face, those that vary more first.
  varying(face, count, shows) {
    const squares = this.spreads.get(face)?.squares ?? [];
    const places = this.attributes.map((_, index) => index).filter(shows);
    return places.sort((one, other) => squares[other] - squares[one]).slice(0, count);
  }

  csv() {
    const header = ["milliseconds", "face", ...this.attributes].map(csvField).join(",");
    const rows = this.rows.map(({milliseconds, face, probabilities}) =>
      [milliseconds, face, ...Array.from(probabilities, (probability) => probability.toFixed(6))].join(","));
    return [header, ...rows, ""].join("\n");
  }

  // {started, attributes, rows: [{milliseconds, face, probabilities in the order of attributes}]}
  json() {
    const rows = this.rows.map(({milliseconds, face, probabilities}) =>
      ({milliseconds, face, probabilities: Array.from(probabilities, (probability) => Number(probability.toFixed(6)))}));
    return JSON.stringify({started: this.started, attributes: this.attributes, rows});
  }
}

// As demo/pipeline/table.py: an apostrophe keeps a spreadsheet from taking text for a formula.
function csvField(text) {
  const guarded = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

function minutes(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// What live mode calls: a recording with its buttons, and the plot of the chosen attributes of one face.
class Timeline {
  // `attributes`: names in the order of the probabilities; `shows(index)`: whether one may be drawn. Files hold all of them.
  constructor(root, attributes, shows = () => true) {
    root.innerHTML = TIMELINE;
    this.root = root;
    for (const name of ["record", "elapsed", "told", "saves", "discard", "plot", "whose", "chips", "adder", "automatic"]) {
      this[name] = root.querySelector(`.${name}`);
    }
    this.attributes = attributes;
    this.shows = shows;
    this.picture = new Plot(root.querySelector("canvas"));
    this.recording = false;
    this.record.addEventListener("click", () => (this.recording ? this.stop() : this.start()));
    this.discard.addEventListener("click", () => this.empty());
    this.saves.addEventListener("click", (event) => this.save(event.target.dataset.save));
    this.whose.addEventListener("change", () => this.draw());
    this.adder.addEventListener("change", () => this.choose([...this.lines, Number(this.adder.value)]));
    this.automatic.addEventListener("click", () => this.choose(null));
    this.chips.addEventListener("click", (event) => {
      const chip = event.target.closest("[data-line]");
      if (chip) this.choose(this.lines.filter((index) => index !== Number(chip.dataset.line)));
    });
    new ResizeObserver(() => this.draw()).observe(this.plot);
    this.empty();
  }

  // The faces of one frame, {number, probabilities} each, at a time that never goes back. Does nothing unless it records.
  add(milliseconds, faces) {
    if (!this.recording) return;
    this.data.add(milliseconds, faces);
    if (this.data.full) this.stop(`Stopped after ${minutes(this.data.recorded)} minutes, as long as a recording can be.`);
    else if (milliseconds - this.drawn >= REDRAW_MS) {
      this.drawn = milliseconds;
      this.draw();
    }
  }

  start() {
    this.recording = true;
    this.data.resumed = true;
    this.tell("Recording numbers, no picture.");
  }

  stop(message = "Stopped. Numbers only, no picture.") {
    if (!this.recording) return;
    this.recording = false;
    this.tell(this.data.rows.length ? message : NUMBERS_ONLY);
    this.draw();
  }

  empty() {
    const focused = document.activeElement === this.discard;
    this.recording = false;
    this.data = new Recording(this.attributes);
    this.chosen = null;          // places of the attributes to draw; null: those that vary most
    this.drawn = -Infinity;
    this.tell(NUMBERS_ONLY);
    this.draw();
    if (focused) this.record.focus();
  }

  tell(text) {
    this.told.textContent = text;
    this.record.setAttribute("aria-pressed", String(this.recording));
    this.record.textContent = this.recording ? "Stop recording" : this.data.rows.length ? "Go on" : "Record";
    this.record.disabled = this.data.full;
    this.saves.hidden = this.recording || this.data.rows.length === 0;
  }

  choose(lines) {
    this.chosen = lines;
    this.draw();
  }

  get face() {
    return Number(this.whose.value) || this.data.faces[0];
  }

  draw() {
    this.elapsed.textContent = this.data.started ? minutes(this.data.length) : "";
    this.plot.hidden = this.data.rows.length === 0;
    this.root.classList.toggle("filled", !this.plot.hidden);
    if (this.plot.hidden) return;
    const faces = this.data.faces;
    setOptions(this.whose, faces, faces.map((number) => `Face ${number}`));
    this.whose.hidden = faces.length === 1;
    this.lines = (this.chosen ?? this.data.varying(this.face, MOST_LINES, this.shows)).filter(this.shows);
    this.showLines();
    const rows = this.data.rows.filter(({face}) => face === this.face);
    const colours = [...this.chips.children].map((chip) => getComputedStyle(chip).getPropertyValue("--colour"));
    const from = this.recording ? Math.max(0, this.data.length - WINDOW_MS) : 0;
    this.picture.draw(rows, this.lines.map((index, place) => ({index, colour: colours[place]})), from, this.data.length);
  }

  showLines() {
    const names = this.lines.map((index) => shownName(this.attributes[index]));
    const key = this.lines.join();
    this.picture.canvas.setAttribute("aria-label", `Face ${this.face} over ${minutes(this.data.length)}: ${names.join(", ")}`);
    this.automatic.hidden = this.chosen === null;
    if (this.chips.dataset.shown === key) return;
    this.chips.dataset.shown = key;
    this.chips.replaceChildren(...this.lines.map((index, place) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.dataset.line = String(index);
      chip.title = "Take it off the plot";
      chip.textContent = names[place];
      chip.style.setProperty("--colour", `var(--line-${place % LINE_COLOURS + 1})`);
      return chip;
    }));
    const others = this.attributes.map((_, index) => index).filter((index) => this.shows(index) && !this.lines.includes(index));
    setOptions(this.adder, ["", ...others], ["Add…", ...others.map((index) => shownName(this.attributes[index]))]);
    this.adder.value = "";
  }

  save(kind) {
    if (!kind) return;
    const type = {csv: "text/csv", json: "application/json"}[kind];
    const link = document.createElement("a");
    link.download = `faces-${this.data.started.toISOString().slice(0, 19).replaceAll(":", "-")}.${kind}`;
    link.href = URL.createObjectURL(new Blob([this.data[kind]()], {type}));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);    // the browser may still be reading
  }
}

// Lines over time on a canvas, from 0 to 100 %.
class Plot {
  constructor(canvas) {
    this.canvas = canvas;
  }

  // `rows` of one face; `lines`: {index, colour} each; `from` and `to` in milliseconds.
  draw(rows, lines, from, to) {
    const ratio = window.devicePixelRatio;
    const width = this.canvas.parentElement.clientWidth;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(PLOT_HEIGHT * ratio);
    this.context = this.canvas.getContext("2d");
    this.context.scale(ratio, ratio);
    const [left, right, top, bottom] = [40, width - 4, 8, PLOT_HEIGHT - 18];
    const x = (milliseconds) => left + (right - left) * (milliseconds - from) / Math.max(1, to - from);
    const y = (probability) => bottom + (top - bottom) * probability;
    this.drawAxes(left, right, y, from, to);
    const first = rows.findIndex(({milliseconds}) => milliseconds >= from);
    for (const {index, colour} of lines) this.drawLine(rows.slice(Math.max(0, first)), index, colour, x, y);
  }

  drawAxes(left, right, y, from, to) {
    const style = getComputedStyle(this.canvas);
    const context = this.context;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = style.getPropertyValue("--soft");
    context.strokeStyle = style.getPropertyValue("--line");
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const probability of [0, 0.5, 1]) {
      context.fillText(`${100 * probability}%`, left - 5, y(probability));
      context.beginPath();
      context.moveTo(left, y(probability));
      context.lineTo(right, y(probability));
      context.stroke();
    }
    context.textBaseline = "top";
    context.fillText(minutes(to), right, y(0) + 6);
    context.textAlign = "left";
    context.fillText(minutes(from), left, y(0) + 6);
  }

  drawLine(rows, index, colour, x, y) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = 1.75;
    this.context.lineJoin = this.context.lineCap = "round";
    this.context.beginPath();
    let last = -Infinity;
    for (const {milliseconds, probabilities} of rows) {
      const place = [x(milliseconds), y(probabilities[index])];
      if (milliseconds - last > GAP_MS) this.context.moveTo(...place);
      this.context.lineTo(...place);    // what stands alone is a dot
      last = milliseconds;
    }
    this.context.stroke();
  }
}

function shownName(attribute) {
  return attribute.replace("_o_Clock", " o'Clock").replaceAll("_", " ");    // panel.py: display_name
}

// Sets the options of a select, and keeps what is chosen; an open list is not disturbed while nothing changes.
function setOptions(select, values, texts) {
  if ([...select.options].map(({value}) => value).join() === values.join()) return;
  const chosen = select.value;
  select.replaceChildren(...values.map((value, place) => new Option(texts[place], value)));
  if (values.map(String).includes(chosen)) select.value = chosen;
}
