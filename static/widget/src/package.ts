// What `import "hitchpost/element"` gives: all that the script is, set up by `configure` in place of a tag.
// On a server it can be imported, and does nothing.
import type { HitchpostApi } from "./globals.js";
import { load } from "./labels.js";
import { later } from "./later.js";
import { api, start } from "./start.js";

export { ConnectError } from "./errors.js";
export type * from "./globals.js";
export type * from "./types.js";

// A bundler has to see which files these are: the page's own server has them then.
later.fetch = (url) => {
  if (url.includes("/connections.js")) return import(/* webpackIgnore: true */ "./connections.js");
  if (url.includes("/diagnose.js")) return import(/* webpackIgnore: true */ "./diagnose.js");
  return import(/* webpackIgnore: true */ "./panel.js");
};

/** The same as `window.Hitchpost`; a script tag that came before is the one that counts. */
const page = typeof document === "object" ? start() : api;
export const { connect, connections, disconnect } = page;

/** Says where the BFF is, for which product, and how to get a session token. Again when another user signs in. */
export const configure: HitchpostApi["configure"] = (given) => {
  page.configure(given);
  // A page without our element asks for no words, and with them comes whether this browser opens no windows.
  void load({ connector: "" });
};
