// The toolbar above the checkboxes: which of them are to be seen, their thresholds, and how calm they are.

class Toolbar {
  constructor(root, settings) {
    this.root = root;
    this.settings = settings;
    this.rows = [...root.querySelectorAll(".attribute")].map((row) => ({
      row,
      box: row.querySelector("[data-attribute]"),
      group: row.closest(".group"),
      words: `${row.querySelector("label").textContent} ${row.closest(".group").querySelector("h3").textContent}`.toLowerCase(),
      matches: true,
      slider: row.querySelector(".details input"),
      value: row.querySelector(".details output"),
    }));
    this.search = root.querySelector("input[type=search]");
    this.count = root.querySelector(".matches");
    this.nothing = root.querySelector(".nothing");
    this.calm = root.querySelector(".calm input");
    this.reset = root.querySelector("[data-do=reset]");
    this.search.addEventListener("input", () => this.filter());
    this.tickedOnly = false;
    this.toggle("ticked", (on) => this.showTickedOnly(on));
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
    for (const row of this.rows) {
      row.matches = row.words.includes(wanted);
      row.row.classList.toggle("unmatched", !row.matches);
    }
    const count = this.rows.filter(({matches}) => matches).length;
    this.count.textContent = wanted ? `${count} of ${this.rows.length} attributes match` : "";
    this.arrange();
  }

  showTickedOnly(on) {
    this.tickedOnly = on;
    this.root.classList.toggle("ticked-only", on);
    this.arrange();
  }

  // Hides groups of which no row is to be seen, and says so where nothing is left. To be called when ticks have changed.
  arrange() {
    const {impressions} = this.settings.values;
    const toSee = ({matches, box, group}) =>
      matches && (box.checked || !this.tickedOnly) && (impressions || !group.classList.contains("impressions"));
    const full = new Set(this.rows.filter(toSee).map(({group}) => group));
    for (const {group} of this.rows) if (group.hidden === full.has(group)) group.hidden = !full.has(group);
    this.nothing.hidden = full.size > 0;
  }

  moveThreshold({box, slider}) {
    const name = box.dataset.attribute;
    const {[name]: _, ...thresholds} = this.settings.values.thresholds;
    const threshold = slider.valueAsNumber / 100;
    if (threshold !== THRESHOLD) thresholds[name] = threshold;
    this.settings.change({thresholds});
  }

  // Shows the settings, whoever changed them.
  apply() {
    const {impressions, calm, thresholds} = this.settings.values;
    this.arrange();
    this.impressions.setAttribute("aria-pressed", String(impressions));
    for (const {row, box, slider, value} of this.rows) {
      const name = box.dataset.attribute;
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
