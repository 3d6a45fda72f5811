/**
 * Looks whether this browser has what the rating page needs, and starts the page only then. It is written in words that
 * old browsers read too. What is missing is told as a sentence of the page, by name only to whoever looks into its markup.
 */
(function () {
  var NEEDS = [
    "AbortSignal.timeout", "Array.prototype.at", "Element.prototype.replaceChildren", "HTMLDialogElement.prototype.showModal",
    "HTMLImageElement.prototype.decode", "HTMLScriptElement.prototype.noModule", "IntersectionObserver", "Intl.DateTimeFormat",
    "PointerEvent", "ResizeObserver", "String.prototype.replaceAll", "TransformStream", "URL.createObjectURL",
    "crypto.getRandomValues", "fetch",
  ];
  var main = /** @type {HTMLElement} */ (document.getElementById("main"));

  /** Tell whether the browser has something. @param {string} path */
  function has(path) {
    /** @type {any} */
    var place = window;
    return path.split(".").every(function (name, i, names) {
      if (!(name in Object(place))) return false;
      if (i < names.length - 1) place = place[name]; // the last one may not be read from a prototype
      return true;
    });
  }

  /** Say why there is no page, once, and before it has begun only. @param {string} id */
  function tell(id) {
    if (main.getAttribute("data-state") !== "starting") return;
    main.setAttribute("data-state", id);
    /** @type {HTMLElement} */ (document.getElementById(id)).hidden = false;
    /** @type {HTMLElement} */ (document.getElementById("workbench")).hidden = true;
    /** @type {HTMLElement} */ (document.getElementById("uploads")).hidden = true;
  }

  var missing = NEEDS.filter(function (path) { return !has(path); });
  main.setAttribute("data-missing", missing.join(" "));
  if (missing.length) return tell("unfit");
  function broken() { tell("broken"); }
  var script = document.createElement("script");
  script.type = "module";
  script.src = main.getAttribute("data-script") || "";
  script.onerror = broken; // a part of it was not reached
  addEventListener("error", broken);
  addEventListener("unhandledrejection", broken);
  document.head.appendChild(script);
})();
