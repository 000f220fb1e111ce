// Frames a second, and where the milliseconds of a frame go.

const STAGES = {
  capture: ["Camera", "#94a3b8"],
  encode: ["Encode", "#c4b5fd"],
  network: ["Network", "#60a5fa"],
  wait: ["Wait for a turn", "#fb7185"],
  decode: ["Decode", "#fcd34d"],
  detect: ["Find faces", "#fb923c"],
  align: ["Align", "#a3e635"],
  infer: ["Read attributes", "#2dd4bf"],
  paint: ["Paint", "#e879f9"],
};
const SPEED_WINDOW_MS = 2000;
const SPEED_REFRESH_MS = 500;

class SpeedPanel {
  constructor(root) {
    this.rate = root.querySelector(".rate");
    this.delay = root.querySelector(".delay");
    this.bar = root.querySelector(".split");
    this.parts = Object.entries(STAGES).map(([stage, [name, colour]]) => this.build(root, stage, name, colour));
    this.clear();
  }

  build(root, stage, name, colour) {
    const part = document.createElement("i");
    const row = document.createElement("li");
    const value = document.createElement("span");
    part.style.background = colour;
    row.style.setProperty("--stage-colour", colour);
    row.dataset.stage = stage;
    row.append(name, value);
    this.bar.append(part);
    root.querySelector(".stages").append(row);
    return {stage, part, value};
  }

  clear() {
    this.frames = [];           // {now, latency, stages} of the last two seconds
    this.rate.textContent = this.delay.textContent = "–";
    for (const {part, value} of this.parts) {
      part.style.flexGrow = "0";
      value.textContent = "–";
    }
  }

  note(now, latency, stages) {
    // A frame that was taken so long after the last one was painted ends a pause: until then none was wanted.
    const paused = this.frames.length === 0 || now - latency - this.frames.at(-1).now > SPEED_WINDOW_MS;
    if (paused) {
      this.frames = [];
      this.refreshed = now;
    }
    while (this.frames.length > 1 && this.frames[0].now < now - SPEED_WINDOW_MS) this.frames.shift();
    this.frames.push({now, latency, stages});
    if (now - this.refreshed < SPEED_REFRESH_MS) return;
    this.refreshed = now;
    const seconds = (now - this.frames[0].now) / 1000;
    const mean = (get) => this.frames.reduce((sum, frame) => sum + get(frame), 0) / this.frames.length;
    this.rate.textContent = String(Math.round((this.frames.length - 1) / seconds));
    this.delay.textContent = String(Math.round(mean((frame) => frame.latency)));
    for (const {stage, part, value} of this.parts) {
      const milliseconds = mean((frame) => frame.stages[stage]);
      part.style.flexGrow = milliseconds.toFixed(1);
      value.textContent = `${milliseconds.toFixed(1)} ms`;
    }
  }
}
