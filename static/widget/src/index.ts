// The entry of hitchpost.js, the script that a page loads by a tag. The tag's attributes are the settings.
import { sessionFrom } from "./session.js";
import { start } from "./start.js";
import type { Settings } from "./types.js";

const SCRIPT_SELECTOR = "script[data-product][src*='/widget/']";

// `currentScript` is null in a module, and an `<img name="currentScript">` on the page shadows it.
const current = document.currentScript;
const tag = current instanceof HTMLScriptElement ? current : document.querySelector<HTMLScriptElement>(SCRIPT_SELECTOR);
// Without a tag the script is part of a bundle of modules, or was imported by import(): the page calls Hitchpost.configure.
start(tag && settingsOf(tag), document.querySelectorAll(SCRIPT_SELECTOR).length === 1);

function settingsOf({ src, dataset: { product = "", session, sessionUrl, locale } }: HTMLScriptElement): Partial<Settings> {
  return {
    base: src.replace(/(.*)\/widget\/.*/, "$1"),
    files: src.replace(/[^/]*$/, ""),
    product,
    locale,
    session: sessionUrl ? sessionFrom(sessionUrl) : ((session && (() => session)) as Settings["session"]),
  } as Partial<Settings>;
}
