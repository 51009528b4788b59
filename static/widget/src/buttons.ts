// The host's own buttons: any element with data-hitchpost-connect, whenever it was added.
import { expect, press } from "./steer.js";

/** Listens on the whole document, so that buttons need no set-up of their own. */
export function listen(): void {
  for (const name of ["pointerover", "mousedown", "focusin", "click"]) {
    document.addEventListener(name, (event) => {
      const button = (event.target as Partial<Element>).closest?.("[data-hitchpost-connect]");
      if (!button) return;
      if (name === "click") press(button);
      else expect(button, event as MouseEvent);
    });
  }
}
