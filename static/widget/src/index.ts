// The script that a page loads by a tag: settings from the tag, the element, the host's own buttons, `Hitchpost`.
import { listen } from "./buttons.js";
import { HitchpostConnect } from "./element.js";
import { renew, watchers } from "./labels.js";
import { resume } from "./resumed.js";
import { configure, fetchSession, settings } from "./session.js";
import { run } from "./steer.js";
import type { ConnectOptions, ConnectResult, Settings } from "./types.js";
import { TAG } from "./wish.js";

const page = globalThis as { Hitchpost?: Partial<Record<string, unknown>> };

// A second tag on the same page changes nothing. An element with this id is none of ours, though it has the name.
if (typeof page.Hitchpost?.connect !== "function") {
  page.Hitchpost = {
    configure(given: Partial<Settings>): void {
      configure(given);
      renew();
    },
    connect: (connector: string, options?: ConnectOptions): Promise<ConnectResult> =>
      run(document, { delivery: settings.delivery, ...options, connector }),
  };
  readTag();
  if (!customElements.get(TAG)) customElements.define(TAG, HitchpostConnect);
  listen();
  // The page's own scripts have had their turn to listen by then.
  if (document.readyState === "complete") resume();
  addEventListener("DOMContentLoaded", resume); // It goes on once only.
  addEventListener("load", resume);
  watchers.add(resume);
}

function readTag(): void {
  // None for a module. And an element with this name stands in its way (`<img name="currentScript">`).
  const current = document.currentScript;
  const tag = current instanceof HTMLScriptElement ? current : document.querySelector<HTMLScriptElement>("script[data-product][src*='/widget/']");
  if (!tag) return; // Inside a bundle, or by import(): the page calls Hitchpost.configure.
  const { product = "", session, sessionUrl, locale } = tag.dataset;
  configure({
    base: tag.src.replace(/\/widget\/.*/, ""),
    product,
    locale,
    session: sessionUrl ? () => fetchSession(sessionUrl) : ((session && (() => session)) as Settings["session"]),
  });
}
