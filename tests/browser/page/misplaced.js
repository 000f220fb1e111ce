// Finds what is wrong with the page's layout, or with that of the dialog that is open: words that break inside, texts and
// controls that are cut off or outside the window, texts that lie on each other, and a page that scrolls sideways.
// A script whose value is the list of faults.

const ROUNDING = 1; // pixels
const OVERLAP = {width: 2, height: 0.25}; // pixels, and share of a line: lines of large type may share what no letter reaches

function isShown(part) {
  const seen = part.checkVisibility({visibilityProperty: true, opacityProperty: true});
  return seen && !part.closest(".unseen, footer, option");
}

function linesOf(text, start = 0, end = text.length) {
  const range = document.createRange();
  range.setStart(text, start);
  range.setEnd(text, end);
  return [...range.getClientRects()].filter(({width}) => width > ROUNDING);
}

function holds(outer, inner) {
  const across = inner.left >= outer.left - ROUNDING && inner.right <= outer.right + ROUNDING;
  return across && inner.top >= outer.top - ROUNDING && inner.bottom <= outer.bottom + ROUNDING;
}

/** Whether an area of a part is "seen", "cut" off, or "scrolled" away within another part. */
function stateOf(root, part, area) {
  for (let around = part; around !== root; around = around.parentElement) {
    const {overflowX, overflowY, position} = getComputedStyle(around);
    if (overflowX !== "visible" && !holds(around.getBoundingClientRect(), area)) {
      return /auto|scroll/.test(overflowX + overflowY) ? "scrolled" : "cut";
    }
    if (position === "fixed") break; // nothing around it cuts it off
  }
  return area.left < -ROUNDING || area.right > innerWidth + ROUNDING ? "cut" : "seen";
}

function brokenWords(text) {
  const words = [...text.data.matchAll(/[^\s–/-]+/g)];
  const isBroken = ({0: word, index}) =>
    new Set(linesOf(text, index, index + word.length).map(({top}) => Math.round(top))).size > 1;
  return words.filter(isBroken).map(([word]) => `${word} breaks inside`);
}

function overlaps(lines) {
  return lines.flatMap(({part, area, name}, place) =>
    lines.slice(place + 1).flatMap((other) => {
      const width = Math.min(area.right, other.area.right) - Math.max(area.left, other.area.left);
      const height = Math.min(area.bottom, other.area.bottom) - Math.max(area.top, other.area.top);
      const shared = part !== other.part && width > OVERLAP.width && height > OVERLAP.height * area.height;
      return shared ? [`“${name}” lies on “${other.name}”`] : [];
    }),
  );
}

function shownTexts(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  return texts.filter((text) => text.data.trim() && isShown(text.parentElement));
}

function misplaced(root) {
  const texts = shownTexts(root);
  const lines = texts.flatMap((text) => {
    const [part, name] = [text.parentElement, text.data.trim()];
    return linesOf(text).map((area) => ({part, area, name, state: stateOf(root, part, area)}));
  });
  const controls = [...root.querySelectorAll("button, input, select, summary, a[href]")].filter(isShown);
  const isCut = (control) => stateOf(root, control.parentElement, control.getBoundingClientRect()) === "cut";
  return [
    ...texts.flatMap(brokenWords),
    ...lines.filter(({state}) => state === "cut").map(({name}) => `“${name}” is cut off`),
    ...controls.filter(isCut).map((control) => `out of reach: ${control.outerHTML}`),
    ...overlaps(lines.filter(({state}) => state === "seen")),
    ...(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : []),
  ];
}

misplaced(document.querySelector("dialog[open]") ?? document.querySelector(".gradio-container"));
