// Goes on with what another page of this tab began: it was reloaded, or the sign-in went through this tab.
import { wishOf } from "./buttons.js";
import { HitchpostConnect } from "./element.js";
import type { Wish } from "./flow.js";
import { recall } from "./resume.js";
import { run } from "./steer.js";

/** Watches the remembered attempt to its end, and tells the element or button that stands for its connector. */
export function resume(): void {
  const entry = recall();
  if (!entry) return;
  const { id, connector } = entry;
  const name = CSS.escape(connector);
  const button = document.querySelector<HTMLElement>(
    `hitchpost-connect[connector="${name}"],[data-hitchpost-connect="${name}"]`,
  );
  let wish: Wish = { connector };
  if (button) wish = button instanceof HitchpostConnect ? button.wish : wishOf(button);
  run(button ?? document, wish, button instanceof HitchpostConnect, id);
}
