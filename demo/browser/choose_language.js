// A plain script in the page's head: chooses the page's language before anything is painted.

(() => {
  const supported = document.currentScript.dataset.languages.split(" ");
  const base = (/** @type {string} */ tag) => tag.split("-")[0];
  /** @param {string} tag - such as de-CH */
  function nearest(tag) {
    return supported.find((code) => code === tag) ?? supported.find((code) => base(code) === base(tag));
  }

  /** @type {any} */
  let kept;
  try {
    kept = JSON.parse(localStorage.getItem("slimnet-faces"))?.language;
  } catch {
    // Storage is forbidden, or holds something that we didn't write.
  }
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, kept, ...navigator.languages].filter((tag) => typeof tag === "string");
  document.documentElement.lang = wanted.map(nearest).find(Boolean) ?? "en";
})();
