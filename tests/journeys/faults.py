"""A browser whose stores fail: injected where no real one can be brought to it, real wherever Chromium can."""

from playwright.sync_api import BrowserContext, CDPSession, Page

from tests.journeys.server import until

# `fault` is none as long as it is "", and can change at any time; what is "mute" opens, and then says nothing.
DATABASE = """
window.fault = "FAULT";
{
  const databases = [];
  const { open } = IDBFactory.prototype, { transaction } = IDBDatabase.prototype;
  const mute = new Proxy(function () {}, { get: () => mute, apply: () => mute, set: () => true });
  IDBFactory.prototype.open = function (...given) {
    if (window.fault === "forbidden") throw new DOMException("The operation is insecure.", "SecurityError");
    if (window.fault === "silent") return mute;
    const request = open.apply(this, given);
    request.addEventListener("success", () => databases.push(request.result));
    return request;
  };
  IDBDatabase.prototype.transaction = function (...given) {
    if (window.fault === "forbidden") throw new DOMException("Connection to server lost.", "UnknownError");
    return ["silent", "mute"].includes(window.fault) ? mute : transaction.apply(this, given);
  };
  window.hangUp = () => databases.splice(0).forEach((database) => database.close());
}
"""
FORBIDDEN = """
LockManager.prototype.request = () => Promise.reject(new DOMException("Access is denied.", "SecurityError"));
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("Access is denied.", "SecurityError"); } });
"""
FILL = """() => {
  for (let size = 1 << 22, part = 0; size >= 1; size >>= 1) {
    for (;;) {
      try { localStorage.setItem(`full-${part}`, "x".repeat(size)); part += 1; } catch { break; }
    }
  }
}"""
REFUSED = """() => new Promise((resolve) => {
  const opening = indexedDB.open("probe");
  opening.onupgradeneeded = () => opening.result.createObjectStore("probe");
  opening.onerror = () => resolve(true);
  opening.onsuccess = () => {
    const writing = opening.result.transaction("probe", "readwrite");
    writing.objectStore("probe").put("x".repeat(1000), 1);
    const end = (refused) => () => { opening.result.close(); resolve(refused); };
    writing.oncomplete = end(false);
    writing.onabort = end(true);
  };
})"""


def injure(page: Page, fault: str = "") -> None:
    """Have the database of the pages that are loaded from now on fail so; "" lets it work until `fail`."""
    page.add_init_script(DATABASE.replace("FAULT", fault))


def fail(page: Page, fault: str) -> None:
    """Have the database of this page fail from now on."""
    page.evaluate("fault => { window.fault = fault; }", fault)


def hang_up(page: Page) -> None:
    """Close the page's connections behind its back: what it asks over them is refused, and no event says why."""
    page.evaluate("window.hangUp()")


def devtools(page: Page) -> CDPSession:
    """Return a line to what the browser can do to a page."""
    context: BrowserContext = page.context
    return context.new_cdp_session(page)


def leave_room(page: Page, origin: str, size: int | None) -> None:
    """Leave so many bytes for all that an origin keeps, or as many as usual; Chromium takes half a minute to see it."""
    quota = {} if size is None else {"quotaSize": size}
    devtools(page).send("Storage.overrideQuotaForOrigin", {"origin": origin, **quota})
    until("the change of room", lambda: page.evaluate(REFUSED) == (size is not None), 120)


def erase(page: Page, origin: str) -> None:
    """Delete the databases of an origin: the browser closes their connections and says so."""
    devtools(page).send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"})
