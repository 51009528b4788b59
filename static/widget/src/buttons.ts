// The host's own buttons: any element with data-hitchpost-connect, also one added later or inside an open shadow root.
import { press } from "./controller.js";
import { hooks } from "./hooks.js";
import { HOST_BUTTON } from "./request.js";

/** Listens on the window in the capture phase, before the page can stop an event. Buttons need no set-up of their own. */
export function listen(): void {
  for (const name of ["pointerover", "mousedown", "focusin", "click"]) addEventListener(name, onButtonEvent, true);
}

function onButtonEvent(event: Event): void {
  const button = event.composedPath().find((node) => (node as Partial<Element>).matches?.(HOST_BUTTON)) as Element | undefined;
  if (!button) return;
  const disabled = button.matches(":disabled,[aria-disabled=true]");
  if (event.type === "click") {
    // Submitting a form or following a link would unload the page, and the flow with it.
    event.preventDefault();
    if (!disabled) press(button);
  } else if (!disabled) hooks.prefetch(button, event as MouseEvent);
}
