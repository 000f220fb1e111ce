// A plain script in the page's head: light or dark, like the visitor's system; and what to do if a module is missing.

(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  // A script of which a module is missing does not run at all, nor what would translate this.
  const onError = (/** @type {Event} */ {target}) => {
    if (!(target instanceof HTMLScriptElement && target.type === "module")) return; // others are not the page's own
    for (const line of document.querySelectorAll(".status")) {
      line.textContent = "A part of this page did not arrive. Reload the page.";
      line.setAttribute("data-kind", "problem");
    }
  };
  addEventListener("error", onError, true);
})();
