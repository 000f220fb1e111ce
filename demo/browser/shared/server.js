// Asks the server, and finds out why it gave no answer: programs between a page and its server may answer in its place.

import {Phrase, t, translated} from "./language.js";

const PROBE_MS = 4000;
const LONGEST_WAIT_SECONDS = 60; // that the page waits by itself if told to
export const NO_ANSWER = {text: t("The server does not answer."), helps: "wait"};
export const TIMED_OUT = {...NO_ANSWER}; // of askServer: the server may only be slow
const OFFLINE = {text: t("This device is offline."), helps: "wait"};
const BROKEN_OFF = {text: t("The connection to the server broke off."), helps: "wait"};
const INCOMPLETE = {text: t("The server's answer arrived damaged."), helps: "wait"};
const SIGN_IN = {
  text: t("Another page came in place of the server's answer, such as one to sign in."),
  helps: "reload",
};
const UNKNOWN = {
  text: t("The server has been changed since this page was opened, and does not know it any more."),
  helps: "reload",
};
const TOO_LATE = {
  text: t("The web server in front of this page did not wait for its answer. A smaller picture takes less time."),
  helps: "wait",
};
const NOT_REACHED = {
  text: t(
    "The web server in front of this page does not reach the program behind it, which is starting or has stopped.",
  ),
  helps: "wait",
};
/** @type {Object<number, Failure>} */
const STATUSES = {
  401: {text: t("The server asks you to sign in."), helps: "reload"},
  403: {text: t("The server refuses what this page asks. You may have to sign in again."), helps: "reload"},
  407: {text: t("The network asks you to sign in."), helps: "reload"},
  408: {text: t("The picture took too long to arrive. A smaller one takes less time."), helps: "wait"},
  413: {
    text: t(
      "The picture is larger than the web server in front of this page lets through. Choose a smaller one, or ask " +
        "whoever runs the page to raise the limit, which nginx calls client_max_body_size.",
    ),
    helps: "nothing",
  },
  429: {text: t("The web server in front of this page allows no more requests for now."), helps: "wait"},
  500: {text: t("The server failed."), helps: "reload"},
  502: NOT_REACHED,
  503: {
    // nginx's own answer to too many requests, too
    text: t(
      "The web server in front of this page turns requests away for now: there are too many, or the program behind it is starting.",
    ),
    helps: "wait",
  },
  504: TOO_LATE,
  511: {text: t("The network asks you to sign in."), helps: "reload"},
  522: NOT_REACHED,
  524: TOO_LATE,
};

/**
 * Why there is no answer, in a sentence for people, and what helps: to wait, to reload the page, or nothing. `seconds`:
 * when to ask again, if the server, or one in front of it, says so.
 *
 * @typedef {{text: Phrase, helps: string, seconds?: number}} Failure
 */

/** A name by which the server tells open pages, or a page's sessions, apart. */
export function newVisitor() {
  return Math.random().toString(36).slice(2);
}

/**
 * The answer of one of Gradio's server functions, or {failure}. A request that is late or no longer wanted is aborted,
 * so that it takes nothing from those that follow.
 *
 * @param {number} milliseconds - to wait for the answer
 * @param {() => Promise<any>} call - of the function
 * @param {AbortSignal | null} [signal] - aborted when the answer is no longer wanted
 * @returns {Promise<any>}
 */
export async function askServer(milliseconds, call, signal = null) {
  const request = new AbortController();
  const [asked, response] = watched(call, request.signal);
  let giveUp = () => {};
  const givenUp = new Promise((resolve) => {
    giveUp = () => {
      resolve({failure: TIMED_OUT});
      request.abort();
    };
  });
  const timer = setTimeout(giveUp, milliseconds);
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp);
  const answer = await Promise.race([asked.catch(() => {}), givenUp]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", giveUp);
  if (answer?.error) answer.error = translated(answer.error);
  return answer ?? {failure: await whyNoAnswer(await response?.catch(() => {}))};
}

/**
 * The answer and the response it comes from; the caller awaits both. Gradio returns undefined for every failure and
 * hides the response and takes no signal, so this intercepts the request on its way.
 *
 * @param {() => Promise<any>} call
 * @param {AbortSignal} signal - of the request
 * @returns {[Promise<any>, Promise<Response> | undefined]}
 */
function watched(call, signal) {
  const passOn = window.fetch;
  /** @type {Promise<Response> | undefined} */
  let response;
  window.fetch = (address, options) => (response = passOn.call(window, address, {...options, signal}));
  try {
    const answer = call();
    return [answer, response];
  } finally {
    window.fetch = passOn;
  }
}

/**
 * @param {Response | void} response
 * @returns {Promise<Failure>}
 */
async function whyNoAnswer(response) {
  if (!response) return navigator.onLine ? whyNotConnected() : OFFLINE;
  const {status, ok} = response;
  if (ok) return isPage(response) ? SIGN_IN : INCOMPLETE;
  const said = status === 403 && (await ownReason(response));
  const known = said ? {text: said, helps: "nothing"} : (STATUSES[status] ?? (status < 500 ? UNKNOWN : NOT_REACHED));
  const remark = t("status {status}", {status});
  const text = new Phrase(() => String(known.text).replace(/\.( |$)/, ` (${remark}).$1`));
  const seconds = Number(response.headers.get("Retry-After")); // NaN if it is a date, which is also allowed
  return {...known, text, ...(status === 503 && seconds > 0 && seconds <= LONGEST_WAIT_SECONDS && {seconds})};
}

/** Why a request got no response. The browser doesn't say, but a small second request may get further. */
async function whyNotConnected() {
  const {root, api_prefix: prefix} = window.gradio_config;
  try {
    const probe = await fetch(`${root}${prefix}/app_id`, {redirect: "manual", signal: AbortSignal.timeout(PROBE_MS)});
    if (probe.type === "opaqueredirect") return SIGN_IN;
    return probe.ok && !isPage(probe) ? BROKEN_OFF : whyNoAnswer(probe);
  } catch {
    return navigator.onLine ? NO_ANSWER : OFFLINE;
  }
}

/**
 * Why the server itself refuses a call; it says so if a proxy changes the page's address.
 *
 * @param {Response} response
 */
async function ownReason(response) {
  const {detail} = await response.json().catch(() => ({}));
  return typeof detail === "string" && detail.includes(" ") ? translated(detail) : null;
}

/** @param {Response} response */
function isPage(response) {
  return response.redirected || !/\bjson\b/.test(response.headers.get("Content-Type"));
}
