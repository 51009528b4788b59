// The script that a page loads by a tag: settings from the tag, the element, the host's own buttons, `Hitchpost`.
import { listen } from "./buttons.js";
import { run } from "./controller.js";
import { HitchpostConnect } from "./element.js";
import { TAG } from "./request.js";
import { resume } from "./resumed.js";
import { configure, fetchSession, settings } from "./session.js";
import type { ConnectOptions, ConnectResult, Settings } from "./types.js";

const page = globalThis as { Hitchpost?: object };

// A second tag on the same page changes nothing.
if (!page.Hitchpost) {
  page.Hitchpost = {
    configure(given: Partial<Settings>): void {
      configure(given);
      resume();
    },
    connect: (connector: string, options?: ConnectOptions): Promise<ConnectResult> =>
      run(document, { delivery: settings.delivery, ...options, connector }),
  };
  readTag(document.currentScript as HTMLScriptElement | null);
  customElements.define(TAG, HitchpostConnect);
  listen();
  resume();
  addEventListener("DOMContentLoaded", resume);
  addEventListener("load", resume);
}

function readTag(tag: HTMLScriptElement | null): void {
  if (!tag) return; // Loaded as a module or inside a bundle: the page calls Hitchpost.configure.
  const { product = "", session, sessionUrl, locale } = tag.dataset;
  configure({
    base: tag.src.replace(/\/widget\/.*/, ""),
    product,
    locale,
    session: sessionUrl ? () => fetchSession(sessionUrl) : ((session && (() => session)) as Settings["session"]),
  });
}
