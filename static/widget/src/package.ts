// `import "hitchpost/element"`: the whole script, configured by `configure` in place of a tag.
// Can be imported on a server, where it does nothing.
import type { HitchpostApi } from "./globals.js";
import { load } from "./labels.js";
import { hooks } from "./hooks.js";
import { api, start } from "./start.js";

export { ConnectError } from "./errors.js";
export type * from "./globals.js";
export type * from "./types.js";

// Literal paths, so that a bundler finds these files and the page's own server delivers them.
hooks.fetch = (url) => {
  if (url.includes("/connections.js")) return import(/* webpackIgnore: true */ "./connections.js");
  if (url.includes("/diagnose.js")) return import(/* webpackIgnore: true */ "./diagnose.js");
  return import(/* webpackIgnore: true */ "./panel.js");
};

/** The same as `window.Hitchpost`. If a script tag was there first, its instance is used. */
const page = typeof document === "object" ? start() : api;
export const { connect, connections, disconnect } = page;

/** Says where the BFF is, for which product, and how to get a session token. Again when another user signs in. */
export const configure: HitchpostApi["configure"] = (given) => {
  page.configure(given);
  // Loads the delivery, which comes with the words: a page without our element would not ask for them.
  void load({ connector: "" });
};
