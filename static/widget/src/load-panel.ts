// Loads panel.js, the second file of the widget. A click works without it.
import { hooks } from "./hooks.js";
import { importWithRetries } from "./imports.js";
import { kit } from "./kit.js";
import { bffOrigin, settings } from "./session.js";

/** Loads and installs the panel, if the BFF is known and that is not done yet. */
export async function loadPanel(): Promise<void> {
  if (hooks.installed || !bffOrigin()) return;
  hooks.folder = settings.files ?? settings.base + "/widget/v1/";
  const { install } = await importWithRetries("panel.js");
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- another call has waited for the same import, and installed it
  if (hooks.installed) return;
  hooks.installed = true;
  install(kit, document.body);
}
