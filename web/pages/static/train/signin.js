/** The dialog in which somebody whose session is over signs in again: the page stays as it is, and then goes on. */

import { byId, dialogById } from "./view.js";
import { Failure } from "./wire.js";

/** @param {Wire} wire @param {() => Promise<void>} goOn */
export function wireSignIn(wire, goOn) {
  /** @param {() => Promise<void>} enter gets a new session, or throws a Failure */
  const comeBack = async (enter) => {
    byId("session-error").textContent = "";
    try {
      await enter();
      dialogById("session").close();
      await goOn();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      byId("session-error").textContent = error.message;
    }
  };
  const [email, password] = /** @type {HTMLInputElement[]} */ ([byId("session-email"), byId("session-password")]);
  byId("session-retry").addEventListener("click", () => void comeBack(() => wire.renew()));
  byId("session-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = password.value;
    password.value = "";
    void comeBack(() => wire.signIn(email.value, given));
  });
}
