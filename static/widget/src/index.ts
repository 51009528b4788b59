// The entry of hitchpost.js, the script that a page loads by a tag. The tag's attributes are the settings.
import { configure, fetchSession } from "./session.js";
import { start } from "./start.js";
import type { Settings } from "./types.js";

start(readTag); // If the page has a second tag, `start` does nothing.

function readTag(): void {
  // `currentScript` is null in a module, and an `<img name="currentScript">` on the page shadows it.
  const current = document.currentScript;
  const tag = current instanceof HTMLScriptElement ? current : document.querySelector<HTMLScriptElement>("script[data-product][src*='/widget/']");
  if (!tag) return; // The script is part of a bundle, or was imported by import(): the page calls Hitchpost.configure.
  const { product = "", session, sessionUrl, locale } = tag.dataset;
  configure({
    base: tag.src.replace(/(.*)\/widget\/.*/, "$1"),
    files: tag.src.replace(/[^/]*$/, ""),
    product,
    locale,
    session: sessionUrl ? () => fetchSession(sessionUrl) : ((session && (() => session)) as Settings["session"]),
  });
}
