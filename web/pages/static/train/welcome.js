/** Before the first photo: consent, guidelines, what not to be shown; and after each photo of the practice, what is expected. */

import { paragraphs } from "./guide.js";
import { byId } from "./view.js";
import { Failure } from "./wire.js";

/** @param {string} id */
const inputById = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/** Return the right scores in words. @param {[number, number]} right */
const range = ([low, high]) => (low === high ? `${low}` : high === low + 1 ? `${low} or ${high}` : `${low} to ${high}`);

/** The onboarding parts of the page. */
export class Welcome {
  #root = byId("welcome");

  /**
   * @param {HTMLElement} main @param {Guide} guide
   * @param {(due: Onboarding) => void} onStart @param {() => void} onNext @param {(failure: Failure) => void} onSession
   */
  constructor(main, guide, onStart, onNext, onSession) {
    this.main = main;
    this.guide = guide;
    this.onStart = onStart;
    this.onSession = onSession;
    byId("welcome-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#start();
    });
    byId("lesson-next").addEventListener("click", onNext);
  }

  /** Ask for what is due. @param {Onboarding} due */
  show(due) {
    if (this.#root.hidden) this.#fill(due);
    const first = this.#root.hidden;
    this.#root.hidden = false;
    if (first) byId("welcome-title").focus();
  }

  /** @param {Onboarding} due */
  #fill({ consent, guidelines, training }) {
    const { told } = this.guide;
    byId("welcome-consent").hidden = !consent;
    byId("welcome-consent-text").replaceChildren(...paragraphs(told?.consent ?? ""));
    inputById("welcome-agree").required = consent;
    inputById("welcome-agree").checked = false;
    byId("welcome-guide").hidden = !guidelines;
    this.guide.showIn(byId("welcome-guide-text"));
    inputById("welcome-unsafe").checked = told?.unsafe_ok === false;
    byId("welcome-practice").hidden = !training && !guidelines; // how many there will be is known once these are read
  }

  async #start() {
    byId("welcome-error").textContent = "";
    const said = { read: true, unsafe_ok: !inputById("welcome-unsafe").checked };
    const agreed = byId("welcome-consent").hidden ? {} : { consent: this.guide.told?.consent_hash };
    try {
      const due = await this.guide.say({ ...said, ...agreed });
      this.hide();
      this.onStart(due);
      await this.#tellTimeZone();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.kind === "session") this.onSession(error);
      await this.#askAgain(error);
    }
  }

  /** Say what went wrong, with the text as it is now: it may have changed while it was read. @param {Failure} failure */
  async #askAgain(failure) {
    byId("welcome-error").textContent = failure.message;
    const { told } = this.guide;
    if (failure.kind !== "refused" || !told) return;
    await this.guide.load(told.study.id);
    byId("welcome-consent-text").replaceChildren(...paragraphs(this.guide.told?.consent ?? ""));
  }

  /** Say when this rater's day begins; a zone that the server does not know changes nothing. */
  async #tellTimeZone() {
    try {
      await this.guide.say({ time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /** Put the question away. */
  hide() {
    if (!this.#root.hidden) scrollTo(0, 0); // its button stood below a long text
    this.#root.hidden = true;
    this.main.dataset.state = "loading";
  }

  /** Say what was expected of a photo of the practice. @param {Lesson} lesson */
  teach({ score, right, done, of }) {
    const expected = `${range(right)} is expected here`;
    const fits = score >= right[0] && score <= right[1];
    byId("lesson-title").textContent = fits ? `${score} fits` : `You said ${score}; ${expected}`;
    byId("lesson-text").textContent = fits ? (right[0] === right[1] ? "" : `Here ${range(right)} is expected.`) : this.#why(right);
    byId("lesson-count").textContent = `Practice: ${done} of ${of}`;
    byId("lesson-next").textContent = done < of ? "Next photo" : "Start rating";
    byId("lesson").hidden = false;
    byId("lesson-next").focus({ preventScroll: true });
  }

  /** @param {[number, number]} right */
  #why([low, high]) {
    const words = low === high ? [low] : [low, high];
    return words.map((score) => `${score}: ${this.guide.meaning(score)}`).join(" ");
  }

  /** Put the lesson away. */
  endLesson() {
    byId("lesson").hidden = true;
  }
}
