// The product's words, look and connectors, loaded once for each language.
import { readConfig } from "./bff.js";
import type { ConnectRequest } from "./flow.js";
import { bffOrigin, identity, settings } from "./session.js";
import type { Offer } from "./types.js";
import { humanize, words } from "./words.js";

/** Called after settings, words or connectors have changed: each draws its element again. */
export const subscribers = new Set<() => void>();

/** The product's connectors by key, as the BFF told them last. */
export const offers: Record<string, Offer | undefined> = {};

let loading: Record<string, Promise<void> | undefined> = {};

/**
 * Loads the configuration, once for each language and user, and notifies the subscribers. After a failure the next call
 * loads it again.
 */
export async function load({ locale = "" }: ConnectRequest): Promise<void> {
  const key = `${identity}${locale}`;
  if (!bffOrigin()) return; // `configure` has not been called: it will have every element load again.
  await (loading[key] ??= readConfig(locale || (settings.locale ?? "")).then(
    (config) => {
      for (const name in config.words) words[locale + name] = config.words[name];
      if (config.connectors) for (const name in offers) offers[name] = undefined; // Some may not be offered any more.
      for (const offer of config.connectors ?? []) offers[offer.key] = offer;
      Object.assign(settings, { delivery: config.delivery, style: config.style, lang: words.lang });
      redraw();
    },
    () => (loading[key] = undefined),
  ));
}

/** Notifies the subscribers. */
export const redraw = (): void => { subscribers.forEach((subscriber) => { subscriber(); }); };

/** Forgets what was loaded, and has every element load it again. */
export function refresh(): void {
  loading = {};
  redraw();
}

/** The text of a key: the connector's own, the product's in this language, the product's, or `fallback`. */
export const wordOf = ({ connector, locale = "" }: ConnectRequest, key: string, fallback = humanize(key)): string =>
  words[locale + connector + " " + key] ?? words[locale + key] ?? words[key] ?? fallback;
