// Loads panel.js, the second file of the widget. A click works without it.
import { kit } from "./kit.js";
import { hooks } from "./hooks.js";
import { bffOrigin, settings } from "./session.js";

/** The pause (milliseconds) before a failed import is repeated. Each further pause is four times as long. */
const FIRST_PAUSE = 1000;
/** If the next pause would be at least this long (milliseconds), the import is not tried again. */
const GIVE_UP_AT = 300_000;

/** Loads the panel, if the BFF is known and the panel is not loaded yet. `pause`: before the next try (milliseconds). */
export async function loadPanel(pause = FIRST_PAUSE): Promise<void> {
  if (hooks.ready || !bffOrigin()) return;
  hooks.folder = settings.files ?? settings.base + "/widget/v1/";
  // Each try has another URL, because browsers remember that a module failed to load.
  hooks.ready = hooks.importModule(`${hooks.folder}panel.js${pause > FIRST_PAUSE ? `?${pause}` : ""}`).then(({ install }) => { install(kit, document.body); });
  try {
    await hooks.ready;
  } catch {
    hooks.ready = undefined;
    if (pause < GIVE_UP_AT) setTimeout(() => void loadPanel(pause * 4), pause);
  }
}
