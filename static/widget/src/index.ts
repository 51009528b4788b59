// The script that a page loads by a tag, which holds its settings.
import { configure, fetchSession } from "./session.js";
import { start } from "./start.js";
import type { Settings } from "./types.js";

start(readTag); // A second tag on the same page changes nothing.

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
