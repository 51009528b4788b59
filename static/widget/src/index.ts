// The script that a page loads by a tag: settings from the tag, the element, the host's own buttons, `Hitchpost`.
import { listen } from "./buttons.js";
import { define } from "./define.js";
import { resume } from "./resumed.js";
import { configure, fetchSession } from "./session.js";
import { run } from "./steer.js";
import type { ConnectOptions, ConnectResult } from "./types.js";

const page = globalThis as { Hitchpost?: object; document?: Document };

// On a server there is no page; and a second tag on the same page changes nothing.
if (page.document && !page.Hitchpost) {
  page.Hitchpost = {
    configure,
    connect: (connector: string, options?: ConnectOptions): Promise<ConnectResult> =>
      run(document, { ...options, connector }),
  };
  readTag(document.currentScript as HTMLScriptElement | null);
  define();
  listen();
  // The page's own scripts have had their turn to listen by then.
  for (const name of ["DOMContentLoaded", "load"]) addEventListener(name, resume);
  if (document.readyState === "complete") resume();
}

function readTag(tag: HTMLScriptElement | null): void {
  if (!tag) return; // Loaded as a module or inside a bundle: the page calls Hitchpost.configure.
  const { product = "", session, sessionUrl } = tag.dataset;
  configure({
    base: tag.src.replace(/\/widget\/.*/, ""),
    product,
    session: sessionUrl ? () => fetchSession(sessionUrl) : session ? () => session : undefined,
  });
}
