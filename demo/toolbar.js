// The toolbar above the checkboxes: which of them are to be seen, their thresholds, and how calm they are.

class Toolbar {
  constructor(root, settings) {
    this.root = root;
    this.settings = settings;
    this.rows = [...root.querySelectorAll(".attribute")].map((row) => ({
      row,
      name: row.querySelector("[data-attribute]").dataset.attribute,
      words: `${row.querySelector("label").textContent} ${row.closest(".group").querySelector("h3").textContent}`.toLowerCase(),
      slider: row.querySelector(".details input"),
      value: row.querySelector(".details output"),
    }));
    this.search = root.querySelector("input[type=search]");
    this.matches = root.querySelector(".matches");
    this.calm = root.querySelector(".calm input");
    this.reset = root.querySelector("[data-do=reset]");
    this.search.addEventListener("input", () => this.filter());
    this.toggle("ticked", (on) => root.classList.toggle("ticked-only", on));
    this.toggle("adjust", (on) => root.classList.toggle("adjusting", on));
    this.impressions = this.toggle("impressions", (on) => settings.change({impressions: on}));
    this.reset.addEventListener("click", () => settings.change({thresholds: {}}));
    this.calm?.addEventListener("input", () => settings.change({calm: this.calm.valueAsNumber / 100}));
    root.addEventListener("input", (event) => {
      const moved = this.rows.find(({slider}) => slider === event.target);
      if (moved) this.moveThreshold(moved);
    });
    settings.onChange(() => this.apply());
    this.apply();
  }

  toggle(name, onToggle) {
    const button = this.root.querySelector(`[data-toggle=${name}]`);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      onToggle(on);
    });
    return button;
  }

  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    let count = 0;
    for (const {row, words} of this.rows) {
      const matches = words.includes(wanted);
      row.classList.toggle("unmatched", !matches);
      count += matches;
    }
    this.matches.textContent = wanted ? `${count} of ${this.rows.length} attributes match` : "";
  }

  moveThreshold({name, slider}) {
    const {[name]: _, ...thresholds} = this.settings.values.thresholds;
    const threshold = slider.valueAsNumber / 100;
    if (threshold !== THRESHOLD) thresholds[name] = threshold;
    this.settings.change({thresholds});
  }

  // Shows the settings, whoever changed them.
  apply() {
    const {impressions, calm, thresholds} = this.settings.values;
    this.root.classList.toggle("no-impressions", !impressions);
    this.impressions.setAttribute("aria-pressed", String(impressions));
    for (const {row, name, slider, value} of this.rows) {
      const percent = Math.round(100 * (thresholds[name] ?? THRESHOLD));
      slider.value = percent;
      value.textContent = `${percent}%`;
      row.style.setProperty("--threshold", `${percent}%`);
      row.classList.toggle("moved", name in thresholds);
    }
    this.reset.disabled = Object.keys(thresholds).length === 0;
    if (!this.calm) return;
    this.calm.value = Math.round(100 * calm);
    this.calm.setAttribute("aria-valuetext", calm === 0 ? "raw" : `${Math.round(100 * calm)}% calm`);
  }
}
