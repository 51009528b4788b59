// Loads the configuration: the product's texts, look, connectors and default delivery.
import { readConfig } from "./bff.js";
import type { ConnectRequest } from "./sign-in.js";
import { bffOrigin, userEpoch, settings } from "./session.js";
import type { Offer } from "./types.js";
import { humanize, words } from "./words.js";

/** Functions that draw an element again. They are called after settings, texts or connectors have changed. */
export const subscribers = new Set<() => void>();

/** The product's connectors by key, for each user and language: they have states, and texts. */
export const offers: Record<string, Record<string, Offer | undefined> | undefined> = {};

/** The connectors in this language; until they are loaded, in the default language. */
// eslint-disable-next-line @typescript-eslint/restrict-plus-operands -- a template costs 18 bytes more
export const offersIn = (locale = ""): Record<string, Offer | undefined> => offers[userEpoch + locale] ?? offers[userEpoch] ?? {};

/** The connector that a request names. */
export const offerOf = ({ connector, locale }: ConnectRequest): Offer | undefined => offersIn(locale)[connector];

let loading: Record<string, Promise<void> | undefined> = {};

/**
 * Loads the configuration, once for each language and user, and calls the subscribers. After a failure the next call tries
 * again.
 */
export async function loadConfig({ locale = "" }: ConnectRequest): Promise<void> {
  const key = userEpoch + locale; // eslint-disable-line @typescript-eslint/restrict-plus-operands -- as above
  if (!bffOrigin()) return; // `configure` has not been called yet. It will make every element load again.
  await (loading[key] ??= readConfig(locale || (settings.locale ?? "")).then(
    (config) => {
      if (!loading[key]) return; // `configure` was called since: another user may have signed in.
      for (const name in config.words) words[locale + name] = config.words[name];
      if (config.connectors) {
        const byKey: Record<string, Offer> = (offers[key] = {});
        for (const offer of config.connectors) byKey[offer.key] = offer;
      }
      Object.assign(settings, { delivery: settings.delivery ?? config.delivery, style: config.style, lang: words.lang });
      redraw();
    },
    () => (loading[key] = undefined),
  ));
}

/** Calls the subscribers, each in a microtask of its own: one that throws keeps no other from drawing. */
export const redraw = (): void => { subscribers.forEach(queueMicrotask); };

/** Makes every element load the configuration again. */
export function refresh(): void {
  loading = {};
  redraw();
}

/**
 * The text of a key: the connector's own in the language of the request, else the product's in that language, else the product's in
 * the default language, else `fallback`.
 */
export const wordOf = ({ connector, locale = "" }: ConnectRequest, key: string, fallback = humanize(key)): string =>
  words[locale + connector + " " + key] ?? words[locale + key] ?? words[key] ?? fallback;
