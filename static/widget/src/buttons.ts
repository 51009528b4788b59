// The host's own buttons: any element with data-hitchpost-connect, whenever it was added.
import { expect, press } from "./steer.js";

/** Listens on the whole document, so that buttons need no set-up of their own. */
export function listen(): void {
  const on = (name: string, act: (button: Element) => void): void => {
    document.addEventListener(name, ({ target }) => {
      const button = (target as Partial<Element>).closest?.("[data-hitchpost-connect]");
      if (button) act(button);
    });
  };
  on("click", press);
  for (const name of ["pointerover", "pointerdown", "focusin"]) on(name, expect);
}
