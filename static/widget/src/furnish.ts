// Fetches the panel, which completes what the script has put on the page.
import { kit } from "./kit.js";
import { later } from "./later.js";
import { bffOrigin, settings } from "./session.js";

/** So long (milliseconds) until a file that was not to be had is asked for again; then four times as long, and so on. */
const WAIT = 1000;
const LONGEST = 300_000;

/** Once it is known from where. A click needs nothing of it. */
export async function furnish(wait = WAIT): Promise<void> {
  if (later.ready || !bffOrigin()) return;
  later.folder = settings.files ?? settings.base + "/widget/v1/";
  // By another name each time: browsers remember of a module that it could not be had.
  later.ready = later.fetch(`${later.folder}panel.js${wait > WAIT ? `?${wait}` : ""}`).then(({ install }) => { install(kit, document.body); });
  try {
    await later.ready;
  } catch {
    later.ready = undefined;
    if (wait < LONGEST) setTimeout(() => void furnish(wait * 4), wait);
  }
}
