// The page without a server: starts its parts, as Gradio does on a page that has one, and has it kept for offline use.

import {start as startAbout} from "../about.js";
import {start as startLive} from "../live/main.js";
import {start as startHead} from "../page.js";
import {start as startPhoto} from "../photo/main.js";
import {find} from "../shared/elements.js";
import {pause} from "../shared/status.js";

const CONTROL_MS = 5000; // to wait at most for the service worker at the first visit
const ROOT = new URL("../../", import.meta.url).href;

const facts = JSON.parse(find(document, "#facts", HTMLScriptElement).textContent);
// What Gradio tells the scripts of a page that it serves.
window.gradio_config = {root: ROOT.replace(/\/$/, ""), api_prefix: "", i18n_translations: facts.languages};

const [head, live, photo, about] = ["head", "live", "photo", "about"].map((name) =>
  find(document, `[data-part=${name}]`, HTMLElement),
);
startHead(head);
startAbout(about);
await takenOver();
startLive(live, facts.live, null);
startPhoto(photo, facts.photo, null);
for (const panel of document.querySelectorAll(".panel")) if (panel instanceof HTMLElement) panel.inert = false;

/** Until the service worker answers this page's requests: it keeps what they bring, and adds the policy for workers. */
async function takenOver() {
  const workers = navigator.serviceWorker; // none where the page did not come by https
  if (!workers) return;
  const registered = workers.register(`${ROOT}service_worker.js`).then(
    () => true,
    () => false, // a browser that keeps nothing
  );
  if (workers.controller || !(await registered)) return;
  const controlled = new Promise((resolve) => {
    workers.addEventListener("controllerchange", () => resolve(undefined), {once: true});
  });
  await Promise.race([controlled, pause(CONTROL_MS)]);
}
