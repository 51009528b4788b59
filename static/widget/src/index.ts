// The script that a page loads by a tag: settings from the tag, the element, the host's own buttons, `Hitchpost`.
import { readConnections } from "./bff.js";
import { listen } from "./buttons.js";
import { run } from "./controller.js";
import { HitchpostConnect } from "./element.js";
import { disconnect } from "./flow.js";
import { furnish } from "./furnish.js";
import { renew } from "./labels.js";
import { TAG } from "./request.js";
import { configure, fetchSession, settings } from "./session.js";
import type { ConnectOptions, ConnectResult, Settings } from "./types.js";

const page = globalThis as { Hitchpost?: Partial<Record<string, unknown>> };

// A second tag on the same page changes nothing. An element with this id is none of ours, though it has the name.
if (typeof page.Hitchpost?.connect !== "function") {
  page.Hitchpost = {
    configure(given: Partial<Settings>): void {
      configure(given);
      renew();
      void furnish();
    },
    connect: (connector: string, options?: ConnectOptions): Promise<ConnectResult> =>
      run(document, { delivery: settings.delivery, ...options, connector }),
    connections: readConnections,
    disconnect,
  };
  readTag();
  if (!customElements.get(TAG)) customElements.define(TAG, HitchpostConnect);
  listen();
  void furnish();
}

function readTag(): void {
  // None for a module. And an element with this name stands in its way (`<img name="currentScript">`).
  const current = document.currentScript;
  const tag = current instanceof HTMLScriptElement ? current : document.querySelector<HTMLScriptElement>("script[data-product][src*='/widget/']");
  if (!tag) return; // Inside a bundle, or by import(): the page calls Hitchpost.configure.
  const { product = "", session, sessionUrl, locale } = tag.dataset;
  configure({
    base: tag.src.replace(/(.*)\/widget\/.*/, "$1"),
    files: tag.src.replace(/[^/]*$/, ""),
    product,
    locale,
    session: sessionUrl ? () => fetchSession(sessionUrl) : ((session && (() => session)) as Settings["session"]),
  });
}
