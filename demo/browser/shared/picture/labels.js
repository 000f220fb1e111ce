// Which attributes are written beside each face on the picture: the strongest of those that are ticked.
//
// A tick's strength is how far its probability is from its cut towards 1, times how telling the attribute is
// (demo/server/content/telling.py: rare and well-known ones first). Labels already shown give way only to clearly
// stronger ones. All are sorted by how telling they are, which is the same in every frame.

const MOST_LABELS = 5; // of the chosen face
const PLAIN_LABELS = 3; // up to this many labels, attributes that say little (most faces have them) are included
const LEAST_TELLING = 0.5; // bits; less telling attributes don't get beyond PLAIN_LABELS
/** @type {[number, number][]} */
const LABELS_IN_COMPANY = [
  [2, 5],
  [4, 4],
  [8, 3],
]; // up to this many faces -> most labels of a face not chosen; with more faces, only the chosen one has labels
const LEAST_SHARE = 0.1; // of the picture's longer side; faces with smaller boxes have no labels unless chosen
const KEPT_SHARE = 0.085; // the same for a face that has labels already
const STANDING_BONUS = 1.5; // multiplies a label's strength while it is shown
const LEAST_SURENESS = 0.15; // for a tick right at its cut
const LEAST_ROOM = 1e-9; // above a cut, which may itself be 1

/**
 * A face with its ticks; its box is [x, y, width, height].
 *
 * @typedef {{number: number, box: number[], warnings: string[], probabilities: number[],
 *   ticks: import("../attributes/decisions.js").Tick[]}} DecidedFace
 */

export class PictureLabels {
  /**
   * @param {number[]} telling - one for each attribute; 0: never gets a label
   * @param {import("../language.js").Words[]} names - for people
   */
  constructor(telling, names) {
    this.telling = telling;
    this.names = names;
    /** @type {Map<number, number[]>} */
    this.standing = new Map(); // number of a face -> indices of its attributes on the picture
  }

  /**
   * @param {DecidedFace[]} faces - of a picture
   * @param {number} longerSide - of that picture
   * @param {number | null} chosen - number of the face whose attributes are listed
   * @param {import("../attributes/decisions.js").Rule} rule - that decided the ticks
   * @returns {Map<number, string[]>} number of a face -> the names to write beside it, most telling first
   */
  choose(faces, longerSide, chosen, rule) {
    const before = this.standing;
    const company = LABELS_IN_COMPANY.find(([most]) => faces.length <= most)?.[1] ?? 0;
    this.standing = new Map(
      faces.map((face) => {
        const standing = before.get(face.number) ?? [];
        const share = face.box[3] / longerSide;
        const others = face.warnings.length || share < (standing.length ? KEPT_SHARE : LEAST_SHARE) ? 0 : company;
        return [face.number, this.strongest(face, standing, rule, face.number === chosen ? MOST_LABELS : others)];
      }),
    );
    return new Map(
      [...this.standing].map(([number, places]) => [number, places.map((index) => String(this.names[index]))]),
    );
  }

  /**
   * @param {DecidedFace} face
   * @param {number[]} standing - indices of the attributes now written beside it
   * @param {import("../attributes/decisions.js").Rule} rule
   * @param {number} count - maximum number of labels
   * @returns {number[]} indices of attributes
   */
  strongest({probabilities, ticks}, standing, {cuts}, count) {
    const {telling} = this;
    const strengths = telling.map((weight, index) => {
      const {upper} = cuts[index];
      const sureness = Math.max(LEAST_SURENESS, (probabilities[index] - upper) / Math.max(LEAST_ROOM, 1 - upper));
      return weight * sureness * (standing.includes(index) ? STANDING_BONUS : 1);
    });
    const ticked = telling.flatMap((weight, index) => (weight > 0 && ticks[index] === true ? [index] : []));
    const strongest = ticked
      .sort((one, other) => strengths[other] - strengths[one] || one - other)
      .slice(0, count)
      .filter((index, position) => position < PLAIN_LABELS || telling[index] >= LEAST_TELLING);
    return strongest.sort((one, other) => telling[other] - telling[one] || one - other);
  }
}
