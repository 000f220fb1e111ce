// Places numbers and labels on a picture of faces: beside their face, inside the picture, and not on each other.
//
// All lengths are pixels of the canvas; `unit` is the picture's own measure (1/640 of its longer side).

export const BADGE_HEIGHT = 22; // units
export const LABEL_HEIGHT = 23; // units
const GAP = 4; // units between a box and its number or labels
const LINE_GAP = 3; // units between two labels
const STEADY_FRAMES = 10; // there must be room for this long before a label without room comes back
const KEPT_SIDE = 1.5; // labels move to another side only if more than this many more labels fit there
const ROW_WIDTH = 1.7; // of rows of labels above and below a box, in box widths
const CROWD = 8; // with more faces than this, small faces get smaller numbers and labels
const BADGE_SHARE = 0.19; // of a box's height: how tall a number may be in a crowd, to fit in a corner beside the face
const LEAST_BADGE = 0.6; // of its usual size
const LEAST_LABEL = 0.8; // of its usual size
const MIDDLE = 0.6; // of a box: the part with eyes, nose and mouth

/** @typedef {{x: number, y: number, width: number, height: number}} Area */
/** @typedef {Area & {text: string}} Label */

/**
 * A face with the labels to write beside it.
 *
 * @typedef {{number: number, box: Area, labels: string[]}} Marked
 */

/** @typedef {{number: number, box: Area, badge: Area, labels: Label[]}} Placed */

/** Places numbers and labels beside each face, and keeps them on the same side while they fit there. */
export class PictureLayout {
  constructor() {
    /** @type {Map<number, {badge: number, side: number, wanted: number, count: number, waited: number}>} */
    this.last = new Map(); // number of a face -> the places of its badge and labels, and how many labels had room
  }

  /** A copy that starts from the present state and then changes independently. */
  copy() {
    const copy = new PictureLayout();
    copy.last = structuredClone(this.last);
    return copy;
  }

  /**
   * @param {Marked[]} faces
   * @param {{width: number, height: number}} picture - its size
   * @param {number} unit
   * @param {(text: string) => number} measure - width of a label's text in units
   * @param {number | null} chosen - number of the face that comes first if room is short
   * @returns {Placed[]} in the order of `faces`
   */
  place(faces, picture, unit, measure, chosen) {
    const urgency = (/** @type {Marked} */ {number, box}) => (number === chosen ? Infinity : box.width * box.height);
    const [first, ...others] = [...faces].sort((one, other) => urgency(other) - urgency(one));
    const [badgeUnit, labelUnit] = crowdUnits(faces, unit);
    /** @type {Map<number, Placed>} */
    const placed = new Map();
    /** @type {Area[]} */
    const taken = [];
    const setBadge = (/** @type {Marked} */ face) => {
      const badge = this.placeBadge(face, faces, taken, picture, badgeUnit);
      placed.set(face.number, {number: face.number, box: face.box, badge, labels: []});
      taken.push(badge);
    };
    const setLabels = (/** @type {Marked} */ face) => {
      if (!face.labels.length) return;
      const labels = this.placeLabels(face, faces, taken, picture, labelUnit, measure);
      placed.get(face.number).labels = labels;
      taken.push(...labels);
    };
    // The chosen face's labels come first; the other numbers then find places around them.
    for (const group of first ? [[first], others] : []) {
      group.forEach(setBadge);
      group.forEach(setLabels);
    }
    for (const number of this.last.keys()) if (!placed.has(number)) this.last.delete(number);
    return faces.map(({number}) => placed.get(number));
  }

  /**
   * Where a face's badge and labels were; the caller keeps it up to date.
   *
   * @param {number} number - of the face
   */
  memory(number) {
    const memory = this.last.get(number) ?? {badge: -1, side: -1, wanted: -1, count: 0, waited: 0};
    this.last.set(number, memory);
    return memory;
  }

  /**
   * @param {Marked} face
   * @param {Marked[]} faces - all of them
   * @param {Area[]} taken - badges and labels placed so far
   * @param {{width: number, height: number}} picture
   * @param {number} unit
   */
  placeBadge(face, faces, taken, picture, unit) {
    const memory = this.memory(face.number);
    const ways = badgeWays(face, unit).map((area) => within(area, picture));
    let [best, least] = [0, Infinity];
    ways.forEach((area, way) => {
      let cost = way + (way === memory.badge ? -3 : 0);
      for (const other of taken) if (overlap(area, other)) cost += 1000;
      for (const {box} of faces) {
        if (overlap(area, middleOf(box))) cost += 100;
        else if (overlap(area, box)) cost += 10;
      }
      if (cost < least) [best, least] = [way, cost];
    });
    memory.badge = best;
    return ways[best];
  }

  /**
   * @param {Marked} face
   * @param {Marked[]} faces - all of them
   * @param {Area[]} taken - badges and labels placed so far
   * @param {{width: number, height: number}} picture
   * @param {number} unit
   * @param {(text: string) => number} measure
   * @returns {Label[]}
   */
  placeLabels(face, faces, taken, picture, unit, measure) {
    const memory = this.memory(face.number);
    const others = faces.filter((other) => other !== face);
    const ways = labelWays(face, picture, unit, measure);
    // In a crowd, the only room beside a face is on its neighbours' boxes; the middles of these always stay free.
    const spared = [others.map(({box}) => box), others.map(({box}) => middleOf(box))];
    for (const areas of spared) {
      const blocked = [...taken, ...areas, face.box];
      const rooms = ways.map((labels) => fitting(labels, blocked, picture));
      const worth = rooms.map(({length}, way) => (length ? length + (way === memory.side ? KEPT_SIDE : 0) : 0));
      const side = worth.indexOf(Math.max(...worth));
      if (worth[side]) return rooms[side].slice(0, steadyCount(memory, face.labels.length, rooms[side].length, side));
    }
    steadyCount(memory, face.labels.length, 0, -1);
    return [];
  }
}

/**
 * The units for numbers and for labels.
 *
 * @param {Marked[]} faces
 * @param {number} unit - the picture's
 * @returns {[number, number]}
 */
function crowdUnits(faces, unit) {
  if (faces.length <= CROWD) return [unit, unit];
  const heights = faces.map(({box}) => box.height).sort((one, other) => one - other);
  const scale = (BADGE_SHARE * heights[heights.length >> 1]) / (BADGE_HEIGHT * unit);
  const scaled = (/** @type {number} */ least) => unit * Math.min(1, Math.max(least, scale));
  return [scaled(LEAST_BADGE), scaled(LEAST_LABEL)];
}

/**
 * How many labels to show: fewer as soon as there is less room, more only after there has been room for a while.
 *
 * @param {{side: number, wanted: number, count: number, waited: number}} memory - of the face; updated here
 * @param {number} wanted - how many labels the face has
 * @param {number} room - how many fit
 * @param {number} side - index of the arrangement in which they fit
 */
function steadyCount(memory, wanted, room, side) {
  const waits = memory.wanted === wanted && room > memory.count && memory.waited + 1 < STEADY_FRAMES;
  memory.waited = waits ? memory.waited + 1 : 0;
  memory.count = waits ? memory.count : room;
  [memory.wanted, memory.side] = [wanted, side];
  return memory.count;
}

/**
 * Possible places for a face's number, best first: outside the box at its corners, then inside them.
 *
 * @param {Marked} face
 * @param {number} unit
 * @returns {Area[]}
 */
function badgeWays({number, box}, unit) {
  const height = BADGE_HEIGHT * unit;
  const width = height + (String(number).length - 1) * 9 * unit;
  const gap = GAP * unit;
  const [left, right] = [box.x, box.x + box.width - width];
  const [above, below] = [box.y - height - gap, box.y + box.height + gap];
  const [before, after] = [box.x - width - gap, box.x + box.width + gap];
  const [top, bottom] = [box.y, box.y + box.height - height];
  const places = [
    [left, above],
    [right, above],
    [left, below],
    [right, below],
    [before, top],
    [after, top],
    [before, bottom],
    [after, bottom],
    [left, top],
    [right, top],
    [left, bottom],
    [right, bottom],
  ];
  return places.map(([x, y]) => ({x, y, width, height}));
}

/**
 * Possible arrangements of a face's labels: columns right and left of its box, rows below and above it.
 *
 * @param {Marked} face
 * @param {{width: number, height: number}} picture
 * @param {number} unit
 * @param {(text: string) => number} measure
 * @returns {Label[][]}
 */
function labelWays({box, labels}, picture, unit, measure) {
  const sizes = labels.map((text) => ({text, width: (measure(text) + 27) * unit, height: LABEL_HEIGHT * unit}));
  const [gap, step] = [GAP * unit, (LABEL_HEIGHT + LINE_GAP) * unit];
  const high = sizes.length * step - LINE_GAP * unit;
  const top = Math.max(0, Math.min(box.y, picture.height - high));
  const column = (/** @type {(width: number) => number} */ left) =>
    sizes.map((size, line) => ({...size, x: left(size.width), y: top + line * step}));
  const rows = wrap(sizes, Math.max(box.width * ROW_WIDTH, ...sizes.map(({width}) => width)), LINE_GAP * unit);
  const block = (/** @type {(line: number) => number} */ y) =>
    rows.flatMap((row, line) => centred(row, box, picture, y(line)));
  return [
    column(() => box.x + box.width + gap),
    column((width) => box.x - gap - width),
    block((line) => box.y + box.height + gap + line * step),
    block((line) => box.y - gap - (rows.length - line) * step + LINE_GAP * unit),
  ];
}

/**
 * Breaks labels into rows.
 *
 * @template {{width: number}} Size
 * @param {Size[]} sizes
 * @param {number} widest - of a row
 * @param {number} gap - between two sizes
 * @returns {(Size & {left: number})[][]} with each one's distance from its row's left end
 */
function wrap(sizes, widest, gap) {
  /** @type {(Size & {left: number})[][]} */
  const rows = [];
  let end = Infinity;
  for (const size of sizes) {
    if (end + gap + size.width > widest) {
      rows.push([]);
      end = -gap;
    }
    rows.at(-1).push({...size, left: end + gap});
    end += gap + size.width;
  }
  return rows;
}

/**
 * A row of labels centred above or below a box, moved into the picture.
 *
 * @param {{text: string, width: number, height: number, left: number}[]} row
 * @param {Area} box
 * @param {{width: number}} picture
 * @param {number} y
 * @returns {Label[]}
 */
function centred(row, box, picture, y) {
  const last = row.at(-1);
  const wide = last.left + last.width;
  const start = Math.max(0, Math.min(box.x + (box.width - wide) / 2, picture.width - wide));
  return row.map(({text, width, height, left}) => ({text, width, height, x: start + left, y}));
}

/**
 * The labels up to the first that has no room.
 *
 * @param {Label[]} labels
 * @param {Area[]} blocked
 * @param {{width: number, height: number}} picture
 */
function fitting(labels, blocked, picture) {
  const fits = (/** @type {Label} */ label) =>
    contains(picture, label) && !blocked.some((other) => overlap(label, other));
  const end = labels.findIndex((label) => !fits(label));
  return end < 0 ? labels : labels.slice(0, end);
}

/**
 * @param {{width: number, height: number}} picture
 * @param {Area} area
 */
function contains(picture, {x, y, width, height}) {
  return x >= 0 && y >= 0 && x + width <= picture.width && y + height <= picture.height;
}

/**
 * @param {Area} one
 * @param {Area} other
 */
function overlap(one, other) {
  const across = one.x < other.x + other.width && other.x < one.x + one.width;
  return across && one.y < other.y + other.height && other.y < one.y + one.height;
}

/**
 * Moves an area into the picture.
 *
 * @param {Area} area
 * @param {{width: number, height: number}} picture
 * @returns {Area}
 */
function within({x, y, width, height}, picture) {
  return {
    x: Math.max(0, Math.min(x, picture.width - width)),
    y: Math.max(0, Math.min(y, picture.height - height)),
    width,
    height,
  };
}

/** @param {Area} box - of a face */
function middleOf({x, y, width, height}) {
  const edge = (1 - MIDDLE) / 2;
  return {x: x + edge * width, y: y + edge * height, width: MIDDLE * width, height: MIDDLE * height};
}
