// The entry of `import "hitchpost/element"`: the whole script, with `configure` in place of a tag's attributes.
// A server can import it; there it does nothing.
import { hooks } from "./hooks.js";
import { api, start } from "./start.js";

export { ConnectError } from "./errors.js";
export type * from "./globals.js";
export type * from "./types.js";

// The paths are literals: a bundler then finds these files, and the page's own server serves them. So each retry (imports.ts) has
// the URL of the first try, and fails again in a browser that remembers the failure, until the page is loaded again.
hooks.importModule = (url) => {
  if (url.includes("/connections.js")) return import(/* webpackIgnore: true */ "./connections.js");
  if (url.includes("/diagnose.js")) return import(/* webpackIgnore: true */ "./diagnose.js");
  if (url.includes("/resume.js")) return import(/* webpackIgnore: true */ "./resume.js");
  return import(/* webpackIgnore: true */ "./panel.js");
};

/** The same object as `window.Hitchpost`: the instance of a script tag, if the page has run one already. */
const instance = typeof document === "object" ? start() : api;
export const { configure, connect, connections, disconnect } = instance;
