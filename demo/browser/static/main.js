// The page without a server: starts its parts, as Gradio otherwise would, and has the page kept for offline use.

import {start as startAbout} from "../about.js";
import {start as startLive} from "../live/main.js";
import {start as startHead} from "../page.js";
import {start as startPhoto} from "../photo/main.js";
import {find} from "../shared/elements.js";
import {ready} from "../shared/language.js";
import {pause} from "../shared/status.js";

const CONTROL_MS = 5000; // longest wait for the service worker at the first visit
const ROOT = new URL("../../", import.meta.url).href;

const facts = JSON.parse(find(document, "#facts", HTMLScriptElement).textContent);
// What Gradio tells the scripts of pages that it serves.
window.gradio_config = {root: ROOT.replace(/\/$/, ""), api_prefix: "", i18n_translations: facts.languages};

const [head, live, photo, about] = ["head", "live", "photo", "about"].map((name) =>
  find(document, `[data-part=${name}]`, HTMLElement),
);
await ready;
startHead(head);
startAbout(about);
await takenOver();
startLive(live, facts.live, null);
startPhoto(photo, facts.photo, null);
for (const panel of document.querySelectorAll(".panel")) if (panel instanceof HTMLElement) panel.inert = false;

/** Waits until the service worker answers this page's requests, to keep the files and to add the policy for workers. */
async function takenOver() {
  const workers = navigator.serviceWorker; // undefined unless the page came by https
  if (!workers) return;
  const own = `${ROOT}service_worker.js`; // of a page above this one, another one may answer until then
  const registered = workers.register(own).catch(() => {}); // the browser keeps nothing
  if (workers.controller?.scriptURL === own) return;
  const registration = await registered;
  // An active one takes over at once, except from a visitor who has reloaded the page by force.
  if (!registration || (registration.active?.state === "activated" && !workers.controller)) return;
  const controlled = new Promise((resolve) => {
    workers.addEventListener("controllerchange", () => resolve(undefined), {once: true});
  });
  await Promise.race([controlled, pause(CONTROL_MS)]);
}
