// Reads photos on the server: each is sent in a call, and the answer holds its result.

import {joined, t, translated, VisitorError} from "../shared/language.js";
import {askServer, newVisitor} from "../shared/server.js";
import {pauseWhile} from "../shared/status.js";

const ANSWER_MS = 120000; // to wait for an answer once the picture has been sent
// How long a picture may take to be sent: as long as the server waits for it (demo/limits.py).
const UPLOAD_BYTES_PER_SECOND = 32 * 1024;
const MOST_UPLOAD_MS = 600000;
const BUSY_TRIES = 100; // then the visitor has to decide whether to go on
const ASK_AGAIN_SECONDS = 0.5; // at most, for each place in line: a place may become free sooner than expected
/** @typedef {import("../shared/language.js").Words} Words */

/** @type {Object<string, Words>} */
const NEXT_STEP = {
  wait: t("Nothing is lost: try again in a moment."),
  reload: t("Reload the page, then try again."),
  nothing: "",
};

/** @typedef {{example: string} | {picture: string, name: string}} PhotoRequest - picture: a file's content in base64 */
/** @typedef {{example?: string, picture?: string, name?: string, why?: number, turn?: boolean}} Question */

/**
 * Where photo mode asks about a photo. Both functions throw a VisitorError if there is no answer.
 *
 * @typedef {object} PhotoEngine
 * @property {(request: PhotoRequest, isWanted: () => boolean, signal: AbortSignal) =>
 *   Promise<import("../photo/view.js").Answer | null>} read - null if it stopped being wanted before there was an answer.
 *   `isWanted`: whether to ask again if the server is busy. `signal`: aborted when no answer is wanted any more.
 * @property {(request: PhotoRequest, first: import("../photo/view.js").Answer, number: number,
 *   isWanted: () => boolean, signal: AbortSignal) => Promise<import("../shared/why/map.js").Maps | null>} explain - the
 *   maps of a face, by its number in the first answer; null as for `read`
 */

/**
 * The functions of demo/server/photo.py.
 *
 * @typedef {{analyse_photo: (request: object) => Promise<any>}} PhotoServer
 */

/**
 * @param {PhotoServer} server
 * @param {(sentence: Words) => void} onWait - called while a photo waits for its turn at the server
 * @returns {PhotoEngine}
 */
export function serverPhotos(server, onWait) {
  const visitor = newVisitor(); // tells the server who is waiting for a turn
  const ask = (/** @type {Question} */ question, /** @type {AbortSignal} */ signal) =>
    askServer(longestWait(question), () => server.analyse_photo({...question, visitor}), signal);
  return {
    read: (request, isWanted, signal) => untilAnswered((question) => ask(question, signal), request, isWanted, onWait),
    async explain(request, _, number, isWanted, signal) {
      const question = {...request, why: number};
      return (await untilAnswered((asked) => ask(asked, signal), question, isWanted, onWait))?.why ?? null;
    },
  };
}

/**
 * Asks again while the server is busy. Meanwhile it only asks for a turn, without sending the picture.
 *
 * @param {(question: Question) => Promise<any>} ask - asks demo/server/photo.py
 * @param {Question} request
 * @param {() => boolean} isWanted
 * @param {(sentence: Words) => void} onWait
 */
async function untilAnswered(ask, request, isWanted, onWait) {
  let question = request;
  for (let tries = 1; isWanted(); tries++) {
    const answer = await ask(question);
    if (answer.faces || answer.why) return answer;
    if (!isWanted()) return null; // the request may have been aborted
    if (answer.turn) {
      question = request;
      continue;
    }
    const seconds = answer.failure?.seconds; // set if there was no room even for the request
    if (!(answer.busy || seconds) || tries >= BUSY_TRIES) throw new VisitorError(whyNone(answer));
    const text = t("Many photos are waiting at the server. This one is sent again in a moment.");
    if (seconds) {
      onWait(text);
      await pauseWhile(isWanted, 1000 * seconds);
      continue;
    }
    const line = {place: answer.place, seconds: Math.ceil(answer.seconds)};
    onWait(joined([text, t("It is number {place} in line; its turn comes in about {seconds} s.", line)]));
    await pauseWhile(isWanted, 1000 * Math.min(answer.seconds, ASK_AGAIN_SECONDS * answer.place));
    question = {turn: true}; // the picture is sent again once there is a place for it
  }
  return null;
}

/**
 * @param {Question} question
 * @returns {number} milliseconds
 */
function longestWait({picture = ""}) {
  const bytes = picture.length; // one for each character of base64
  return ANSWER_MS + Math.min(MOST_UPLOAD_MS, (1000 * bytes) / UPLOAD_BYTES_PER_SECOND);
}

/** @param {{error?: string, failure?: import("../shared/server.js").Failure}} answer */
function whyNone({error, failure}) {
  return error ? translated(error) : joined([failure.text, NEXT_STEP[failure.helps]]);
}
