// Whether the page can read what it draws. To keep sites from recognising a visitor, Tor Browser, LibreWolf and Firefox
// with resistFingerprinting give blank or random pixels instead, in which no face would ever be found.

const COLOURS = [
  [200, 30, 60],
  [40, 170, 80],
  [30, 70, 190],
  [220, 190, 40],
];
const SIDE_PIXELS = 8; // of the square in each colour
const TOLERANCE = 8; // of 255: other browsers change colours by 1 or 2, which does no harm

/**
 * Draws a few colours and reads them back.
 *
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context - of a new canvas
 */
export function canReadBack(context) {
  const {canvas} = context;
  [canvas.width, canvas.height] = [COLOURS.length * SIDE_PIXELS, SIDE_PIXELS];
  COLOURS.forEach((colour, place) => {
    context.fillStyle = `rgb(${colour})`;
    context.fillRect(SIDE_PIXELS * place, 0, SIDE_PIXELS, SIDE_PIXELS);
  });
  return COLOURS.every((colour, place) => {
    const {data} = context.getImageData(SIDE_PIXELS * (place + 0.5), SIDE_PIXELS / 2, 1, 1);
    return colour.every((value, channel) => Math.abs(value - data[channel]) <= TOLERANCE);
  });
}
