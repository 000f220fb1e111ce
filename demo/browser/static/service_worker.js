// Keeps the page for offline use, and adds headers that a plain file host does not send.

/** @type {any} */
const worker = self;
const {version, files, policy} = worker.site; // demo/publish/static.py inserts it above
const {scope} = worker.registration; // address of the page's folder, with a "/" at its end
const ENGINE = "engine/"; // folder of the engine's files, which are kept once they have been loaded
const CACHES = `slimnet-faces ${scope} `; // the caches of a host's pages are in one place
const CACHE = CACHES + version;
const HEADERS = {
  "Content-Security-Policy": policy,
  // Together they isolate the page, so that the network may use several threads.
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

worker.addEventListener("install", (/** @type {any} */ event) => {
  // From the host itself: the browser may still hold files of the version before.
  const fresh = files.map((/** @type {string} */ file) => new Request(file, {cache: "reload"}));
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.all([cache.addAll(fresh), keepEngine(cache)])));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(Promise.all([dropOthers(), worker.clients.claim()]));
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const {request} = event;
  const file = request.method === "GET" ? fileOf(request.url) : null;
  if (file) event.respondWith(answer(request, file));
});

/**
 * The name of the page's file at an address; null if it is something else, such as another page of the same host.
 *
 * @param {string} url
 */
function fileOf(url) {
  const {origin, pathname} = new URL(url);
  const address = origin + pathname;
  if (!address.startsWith(scope)) return null;
  const name = address.slice(scope.length) || "index.html";
  return files.includes(name) || name.startsWith(ENGINE) ? name : null;
}

/** The caches of this page's other versions. */
async function others() {
  return (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
}

/**
 * Keeps the engine's files of the version before, as the host has them now, so that the page goes on working offline.
 *
 * @param {Cache} cache
 */
async function keepEngine(cache) {
  const kept = await Promise.all((await others()).map(async (name) => (await caches.open(name)).keys()));
  const addresses = new Set(kept.flat().map(({url}) => url));
  const ofEngine = [...addresses].filter((url) => url.startsWith(scope + ENGINE));
  await Promise.all(
    ofEngine.map(async (url) => {
      const response = await fetch(url, {cache: "no-cache"}); // costs little if the browser holds the same file
      if (response.status === 200) await cache.put(url, response).catch(() => {}); // a full disk keeps nothing
    }),
  );
}

/** Deletes what was kept of other versions of this page. */
async function dropOthers() {
  await Promise.all((await others()).map((name) => caches.delete(name)));
}

/**
 * The kept response, or else the host's, which is kept from then on.
 *
 * @param {Request} request
 * @param {string} file - its name
 */
async function answer(request, file) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(scope + file);
  if (kept) return withHeaders(kept);
  // The engine's addresses stay the same, so that the browser may hold a file of the version before.
  const response = await fetch(request, {cache: "no-cache"});
  if (response.status === 200) cache.put(scope + file, response.clone()).catch(() => {}); // a full disk keeps nothing
  return withHeaders(response);
}

/** @param {Response} response */
function withHeaders(response) {
  const {status, statusText} = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, {status, statusText, headers});
}
