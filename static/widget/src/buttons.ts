// The host's own buttons: any element with data-hitchpost-connect, whenever it was added, inside shadow roots too.
import { press } from "./controller.js";
import { later } from "./later.js";
import { OWN } from "./request.js";

/** Listens on the window, before anything on the page can stop an event; so buttons need no set-up of their own. */
export function listen(): void {
  for (const name of ["pointerover", "mousedown", "focusin", "click"]) addEventListener(name, hear, true);
}

function hear(event: Event): void {
  const button = event.composedPath().find((node) => (node as Partial<Element>).matches?.(OWN)) as Element | undefined;
  if (!button) return;
  const disabled = button.matches(":disabled,[aria-disabled=true]");
  if (event.type === "click") {
    // Whatever else it would do, submit a form or follow a link, leaves the page, and the sign-in with it.
    event.preventDefault();
    if (!disabled) press(button);
  } else if (!disabled) later.expect(button, event as MouseEvent);
}
