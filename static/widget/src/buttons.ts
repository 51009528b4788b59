// The host's own buttons: any element with data-hitchpost-connect, whenever it was added.
import type { Wish } from "./flow.js";
import { expect, press } from "./steer.js";

const BUTTON = "[data-hitchpost-connect]";

/** What a host's own button asks for. */
export function wishOf({ dataset }: HTMLElement): Wish {
  return {
    connector: dataset.hitchpostConnect ?? "",
    message: dataset.hitchpostMessage,
    locale: dataset.hitchpostLocale,
  };
}

/** Listens on the whole document, so that buttons need no set-up of their own. */
export function listen(): void {
  const on = (name: string, act: (button: HTMLElement, wish: Wish) => void): void => {
    document.addEventListener(name, (event) => {
      const button = event.target instanceof Element ? event.target.closest<HTMLElement>(BUTTON) : null;
      if (button) act(button, wishOf(button));
    });
  };
  on("click", (button, wish) => { press(button, wish); });
  for (const name of ["pointerover", "pointerdown", "focusin"]) on(name, expect);
}
