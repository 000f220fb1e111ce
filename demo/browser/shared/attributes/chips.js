// The ticked attributes at a glance, above the list.

import {find, findAll} from "../elements.js";

export class Chips {
  /** @param {HTMLElement} root - of the checkboxes */
  constructor(root) {
    const area = find(root, ".chips", HTMLElement);
    this.none = find(area, ".none", HTMLElement);
    this.chips = findAll(area, "[data-chip]", HTMLElement);
    keepHeight(area, find(area, "ul", HTMLElement));
  }

  /** @param {(index: number) => boolean} isTicked - by an attribute's index among the probabilities */
  show(isTicked) {
    for (const chip of this.chips) {
      const hidden = !isTicked(Number(chip.dataset.chip));
      if (chip.hidden !== hidden) chip.hidden = hidden;
    }
    this.none.hidden = this.chips.some(({hidden}) => !hidden);
  }
}

/**
 * Keeps an area as tall as its list has been, so that nothing below jumps when a chip goes.
 *
 * @param {HTMLElement} area
 * @param {HTMLElement} list
 */
function keepHeight(area, list) {
  let width = 0;
  let height = 0;
  new ResizeObserver(() => {
    if (area.clientWidth !== width) [width, height] = [area.clientWidth, 0];
    if (list.offsetHeight <= height) return;
    height = list.offsetHeight;
    area.style.minHeight = `${height}px`;
  }).observe(list);
}
