// The server's way of reading a frame: it goes there as a JPEG, and its answer comes back.

import {FrameSize} from "../live/frame_size.js";
import {drawScaled, encodeFrame} from "../shared/camera.js";
import {t} from "../shared/language.js";
import {askServer, newVisitor} from "../shared/server.js";

export const ANSWER_MS = 8000; // for a frame

/**
 * What is asked beside the faces: `crop` is the number of the face whose aligned picture is wanted, `why` the face and the
 * attribute whose map is.
 *
 * @typedef {object} Wanted
 * @property {number | null} crop
 * @property {{face: number, attribute: string} | null} why
 */

/**
 * What live mode asks for the answer of a frame, wherever that is made.
 *
 * `analyse` answers with what demo/server/live.py describes, or with {busy, seconds}, {error} or {failure}.
 * The milliseconds of its stages are those of STAGES in speed.js.
 *
 * @typedef {object} Engine
 * @property {"server" | "device"} name
 * @property {import("../shared/language.js").Words} waiting - what is said while an answer is overdue
 * @property {FrameSize | null} frameSize - of the pictures that are sent; null where none is
 * @property {(frame: HTMLCanvasElement, options: Wanted) => Promise<any>} analyse
 * @property {() => void} close - once no more frames come
 */

/**
 * The functions of demo/server/live.py.
 *
 * @typedef {{analyse_frame: (message: object) => Promise<any>}} Server
 */

/**
 * @param {Server} server
 * @returns {Engine}
 */
export function serverEngine(server) {
  const visitor = newVisitor();
  const frameSize = new FrameSize();
  const sent = document.createElement("canvas");
  return {
    name: "server",
    waiting: t("Waiting for the server's answer…"),
    frameSize,
    async analyse(frame, {crop, why}) {
      const began = performance.now();
      drawScaled(frame, sent, frame.width, frame.height, frameSize.width);
      const message = {visitor, frame: encodeFrame(sent, frameSize.quality), crop, why};
      const encoded = performance.now();
      const answer = await askServer(ANSWER_MS, () => server.analyse_frame(message));
      const away = performance.now() - encoded;
      if (answer.faces || away >= ANSWER_MS) frameSize.note(away);
      const atServer = Object.values(answer.ms ?? {}).reduce((sum, part) => sum + part, 0);
      const network = Math.max(0, away - atServer);
      return {...answer, ms: {encode: encoded - began, network, ...answer.ms}};
    },
    // Gives this visitor's place at the server to somebody else.
    close: () => void server.analyse_frame({visitor, leave: true}).catch(() => {}),
  };
}
