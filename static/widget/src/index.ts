// The script that a page loads by a tag: settings from the tag, the element, the host's own buttons, `Hitchpost`.
import { listen } from "./buttons.js";
import { HitchpostConnect } from "./element.js";
import { resume } from "./resumed.js";
import { configure, fetchSession, settings } from "./session.js";
import { run } from "./steer.js";
import type { ConnectOptions, ConnectResult, Settings } from "./types.js";
import { TAG } from "./wish.js";

const page = globalThis as { Hitchpost?: object };

// A second tag on the same page changes nothing.
if (!page.Hitchpost) {
  page.Hitchpost = {
    configure,
    connect: (connector: string, options?: ConnectOptions): Promise<ConnectResult> =>
      run(document, { delivery: settings.delivery, ...options, connector }),
  };
  readTag(document.currentScript as HTMLScriptElement | null);
  customElements.define(TAG, HitchpostConnect);
  listen();
  // The page's own scripts have had their turn to listen by then.
  if (document.readyState === "complete") resume();
  addEventListener("DOMContentLoaded", resume); // It goes on once only.
  addEventListener("load", resume);
}

function readTag(tag: HTMLScriptElement | null): void {
  if (!tag) return; // Loaded as a module or inside a bundle: the page calls Hitchpost.configure.
  const { product = "", session, sessionUrl, locale } = tag.dataset;
  configure({
    base: tag.src.replace(/(.*)\/widget\/.*/, "$1"),
    product,
    locale,
    session: sessionUrl ? () => fetchSession(sessionUrl) : ((session && (() => session)) as Settings["session"]),
  });
}
