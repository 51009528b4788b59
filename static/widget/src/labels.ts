// The product's words and look, and how its connectors stand, read once for all elements that speak the same language.
import { readConfig } from "./bff.js";
import type { ConnectRequest } from "./flow.js";
import { bffOrigin, identity, settings } from "./session.js";
import type { Offer } from "./types.js";
import { spelled, words } from "./words.js";

/** Called after settings, words or states have changed: what is shown may read otherwise now. */
export const watchers = new Set<() => void>();

/** The product's connectors by key, as the BFF told last. */
export const offers: Record<string, Offer | undefined> = {};

let loading: Record<string, Promise<void> | undefined> = {};

/**
 * Asks the BFF, once for each language that elements ask for, and again for other settings; after a failure the next
 * element asks again. All elements are drawn anew when the words come.
 */
export async function load({ locale = "" }: ConnectRequest): Promise<void> {
  const key = `${identity}${locale}`;
  if (!bffOrigin()) return; // There is nobody to ask yet: `configure` has every element ask again.
  await (loading[key] ??= readConfig(locale || (settings.locale ?? "")).then(
    (config) => {
      for (const name in config.words) words[locale + name] = config.words[name];
      if (config.connectors) for (const key in offers) offers[key] = undefined; // One may be offered no more.
      for (const offer of config.connectors ?? []) offers[offer.key] = offer;
      Object.assign(settings, { delivery: config.delivery, style: config.style, lang: words.lang });
      renew();
    },
    () => (loading[key] = undefined),
  ));
}

/** Settings or words have changed. */
export const renew = (): void => { watchers.forEach((watcher) => { watcher(); }); };

/** Something has been connected or ended: has every element ask how it stands. */
export function refresh(): void {
  loading = {};
  renew();
}

/** The text of this key: the connector's own, the product's, or what else there is. */
export const wordOf = ({ connector, locale = "" }: ConnectRequest, key: string, spare = spelled(key)): string =>
  words[locale + connector + " " + key] ?? words[locale + key] ?? words[key] ?? spare;
