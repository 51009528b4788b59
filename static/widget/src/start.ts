// Sets up a page once, however often the widget is loaded: the element, the host's own buttons, `window.Hitchpost`.
import { readConnections } from "./bff.js";
import { listen } from "./buttons.js";
import { hooks } from "./hooks.js";
import { run } from "./controller.js";
import { HitchpostConnect } from "./element.js";
import { disconnect } from "./report.js";
import { loadPanel } from "./load-panel.js";
import type { HitchpostApi } from "./globals.js";
import { loadConfig, refresh } from "./config.js";
import { ELEMENT_NAME } from "./request.js";
import { configure, settings } from "./session.js";
import type { Settings } from "./types.js";

const page = globalThis as unknown as { Hitchpost?: Partial<HitchpostApi> };

/** `window.Hitchpost`. */
export const api: HitchpostApi = {
  configure(given) {
    configure({ advice: undefined, ...given }); // The advice was about the BFF that was set before.
    refresh();
    // For the default delivery and the texts of errors: on a page without <hitchpost-connect> nothing else may load them.
    void loadConfig();
    void loadPanel();
  },
  connect(connector, options) {
    const request = { ...options, connector, delivery: options?.delivery ?? settings.delivery };
    return hooks.joinFlow(request) ?? run(document, request);
  },
  connections: readConnections,
  disconnect,
};

/**
 * Sets up the page, unless that is done already. Returns the instance in use. `given`: the settings of the page's tag. If the
 * page is set up already they count only if this is its only tag: a library such as Turbo has then replaced the page, and another
 * user may have signed in.
 */
export function start(given?: Partial<Settings> | null, isOnlyTag?: boolean): HitchpostApi {
  // An element with the id `Hitchpost` also is a property of the window.
  const isFirst = typeof page.Hitchpost?.connect !== "function";
  if (isFirst) {
    page.Hitchpost = api;
    if (!customElements.get(ELEMENT_NAME)) customElements.define(ELEMENT_NAME, HitchpostConnect);
    listen();
  }
  const instance = page.Hitchpost as HitchpostApi;
  if (given && (isFirst || isOnlyTag)) instance.configure(given);
  return instance;
}
