// Loads the panel: the second file of the widget, which a click does not need.
import { kit } from "./kit.js";
import { hooks } from "./hooks.js";
import { bffOrigin, settings } from "./session.js";

/** The first pause (milliseconds) before a failed load is repeated. Each further one is four times as long. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 300_000;

/** Loads the panel once the BFF is known. */
export async function loadPanel(wait = FIRST_PAUSE): Promise<void> {
  if (hooks.ready || !bffOrigin()) return;
  hooks.folder = settings.files ?? settings.base + "/widget/v1/";
  // With another URL each time: browsers remember that a module failed to load.
  hooks.ready = hooks.fetch(`${hooks.folder}panel.js${wait > FIRST_PAUSE ? `?${wait}` : ""}`).then(({ install }) => { install(kit, document.body); });
  try {
    await hooks.ready;
  } catch {
    hooks.ready = undefined;
    if (wait < LONGEST_PAUSE) setTimeout(() => void loadPanel(wait * 4), wait);
  }
}
