// Reads frames on the server: each is sent as a JPEG, and the answer comes back.

import {FrameSize} from "./frame_size.js";
import {drawScaled, encodeFrame} from "../shared/camera.js";
import {t} from "../shared/language.js";
import {askServer, newVisitor, TIMED_OUT} from "../shared/server.js";

export const ANSWER_MS = 8000; // to wait for a frame's answer

/**
 * What to ask for beside the faces: `crop` is the number of the face whose aligned picture is wanted, `why` the face
 * and the attribute whose map is wanted.
 *
 * @typedef {object} Wanted
 * @property {number | null} crop
 * @property {{face: number, attribute: string} | null} why
 */

/**
 * Where live mode asks for a frame's answer.
 *
 * `analyse` answers with what demo/server/live.py describes, or with {busy, seconds}, {error} or {failure}.
 * The milliseconds of its stages are those of STAGES in speed.js.
 *
 * @typedef {object} Engine
 * @property {import("../shared/language.js").Words} waiting - what the page says while an answer is overdue
 * @property {FrameSize | null} frameSize - of the pictures sent; null if none are
 * @property {(frame: HTMLCanvasElement, options: Wanted) => Promise<any>} analyse
 * @property {() => void} breakOff - called when the visitor has switched to another engine, to send no more of a frame
 * @property {() => void} close - called once no more frames come
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
  const ending = new AbortController();
  return {
    waiting: t("Waiting for the server's answer…"),
    frameSize,
    async analyse(frame, {crop, why}) {
      const began = performance.now();
      drawScaled(frame, sent, frame.width, frame.height, frameSize.width);
      const message = {visitor, frame: encodeFrame(sent, frameSize.quality), crop, why};
      const encoded = performance.now();
      const answer = await askServer(ANSWER_MS, () => server.analyse_frame(message), ending.signal);
      const away = performance.now() - encoded;
      if (answer.faces) frameSize.note(away);
      if (answer.failure === TIMED_OUT) frameSize.shrink();
      const atServer = Object.values(answer.ms ?? {}).reduce((sum, part) => sum + part, 0);
      const network = Math.max(0, away - atServer);
      return {...answer, ms: {encode: encoded - began, network, ...answer.ms}};
    },
    breakOff: () => ending.abort(),
    // Frees this visitor's place at the server for somebody else.
    close: () => {
      ending.abort(); // of a frame that is being sent, nothing more goes out
      void server.analyse_frame({visitor, leave: true}).catch(() => {});
    },
  };
}
