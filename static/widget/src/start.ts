// Sets up a page once, however often the widget is loaded: the element, the host's own buttons, `window.Hitchpost`.
import { readConnections } from "./bff.js";
import { listen } from "./buttons.js";
import { run } from "./controller.js";
import { HitchpostConnect } from "./element.js";
import { disconnect } from "./sign-in.js";
import { loadPanel } from "./load-panel.js";
import type { HitchpostApi } from "./globals.js";
import { refresh } from "./config.js";
import { TAG } from "./request.js";
import { configure, settings } from "./session.js";

const page = globalThis as unknown as { Hitchpost?: Partial<HitchpostApi> };

/** `window.Hitchpost`. */
export const api: HitchpostApi = {
  configure(given) {
    configure(given);
    refresh();
    void loadPanel();
  },
  connect: (connector, options) => run(document, { delivery: settings.delivery, ...options, connector }),
  connections: readConnections,
  disconnect,
};

/** Sets up the page, unless that is done already. Returns the instance in use. `read` reads the page's settings. */
export function start(read?: () => void): HitchpostApi {
  // An element with the id `Hitchpost` also is a property of the window.
  if (typeof page.Hitchpost?.connect !== "function") {
    page.Hitchpost = api;
    read?.();
    if (!customElements.get(TAG)) customElements.define(TAG, HitchpostConnect);
    listen();
    void loadPanel();
  }
  return page.Hitchpost as HitchpostApi;
}
