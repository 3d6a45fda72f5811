"""A rater before the rating page: what they press and what they see."""

from playwright.sync_api import Locator, Page

SEEN = """() => {
  const image = document.querySelector("#frame .variant");
  const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
  canvas.getContext("2d").drawImage(image, 0, 0, 16, 16);
  return canvas.toDataURL();
}"""
AHEAD = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("palate-rater");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const tx = opening.result.transaction(["leases", "answered", "images"]);
    const [leased, answered, images] = ["leases", "answered", "images"].map((name) =>
      name === "leases" ? tx.objectStore(name).getAll() : tx.objectStore(name).getAllKeys());
    tx.oncomplete = () => {
      opening.result.close();
      const { tab } = document.querySelector("main.train").dataset;
      const [done, kept] = [answered, images].map(({ result }) => new Set(result.map((key) => key[1])));
      const options = leased.result.filter((row) => row.tab === tab).flatMap(({ next }) => next.experiments)
        .flatMap((experiment) => experiment.options);
      resolve(options.filter((one) => kept.has(one.image_url) && !done.has(one.option_id)).length);
    };
  };
})"""
KEPT = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("palate-rater");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const counting = opening.result.transaction("images").objectStore("images").count();
    counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
  };
})"""


class Rater:
    """One signed-in person with the rating page open in a tab."""

    def __init__(self, page: Page, email: str, study_id: str = "") -> None:
        self.page, self.email, self.study_id = page, email, study_id

    @property
    def main(self) -> Locator:
        """The page's body, whose attributes say where it stands."""
        return self.page.locator("main.train")

    def open(self, ahead: int = 6) -> None:
        """Open the rating page and wait for a photo."""
        self.page.goto(f"/train?study={self.study_id}&ahead={ahead}")
        self.await_photo()

    def begin(self) -> None:
        """Read what counts, on a first visit, and wait for the first photo, which a worker may still make."""
        self.page.get_by_role("button", name="Start rating").click()
        self.page.wait_for_selector("main.train[data-gate=open]", timeout=60_000)
        assert self.page.evaluate("scrollY") == 0, "the stage is not whole in sight"

    def await_photo(self) -> None:
        """Wait until a photo is on the screen and answers are let through."""
        self.page.wait_for_selector("main.train[data-gate=open]")

    def photo(self) -> str:
        """Return what tells the photo on the screen from others."""
        self.await_photo()
        return str(self.page.evaluate(SEEN))

    def rate(self, *scores: int) -> None:
        """Press a key for each photo, as soon as it may be rated."""
        for score in scores:
            self.await_photo()
            self.page.keyboard.press(str(score))

    def settled(self) -> None:
        """Wait until the server has heard everything."""
        self.page.wait_for_selector("main.train[data-sync=saved][data-pending='0']", timeout=60_000)

    def images_kept(self) -> int:
        """Return how many images this browser keeps for a time without network."""
        return int(self.page.evaluate(KEPT))

    def photos_ahead(self) -> int:
        """Return how many photos this tab could still show without network."""
        return int(self.page.evaluate(AHEAD))

    def said(self) -> str:
        """Return the page's last sentence."""
        return self.page.locator("#status").inner_text()
