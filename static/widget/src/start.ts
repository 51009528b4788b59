// What stands on a page once, however the widget came there: the element, the host's own buttons, `Hitchpost`.
import { readConnections } from "./bff.js";
import { listen } from "./buttons.js";
import { run } from "./controller.js";
import { HitchpostConnect } from "./element.js";
import { disconnect } from "./flow.js";
import { furnish } from "./furnish.js";
import type { HitchpostApi } from "./globals.js";
import { renew } from "./labels.js";
import { TAG } from "./request.js";
import { configure, settings } from "./session.js";

const page = globalThis as unknown as { Hitchpost?: Partial<HitchpostApi> };

/** What the page's scripts may call. */
export const api: HitchpostApi = {
  configure(given) {
    configure(given);
    renew();
    void furnish();
  },
  connect: (connector, options) => run(document, { delivery: settings.delivery, ...options, connector }),
  connections: readConnections,
  disconnect,
};

/** Sets the page up, unless it is so already: then the one that is there counts. `read` reads the page's settings. */
export function start(read?: () => void): HitchpostApi {
  // An element with this id is none of ours, though it has the name.
  if (typeof page.Hitchpost?.connect !== "function") {
    page.Hitchpost = api;
    read?.();
    if (!customElements.get(TAG)) customElements.define(TAG, HitchpostConnect);
    listen();
    void furnish();
  }
  return page.Hitchpost as HitchpostApi;
}
