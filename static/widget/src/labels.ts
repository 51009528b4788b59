// The product's words and look, read once for all elements that speak the same language.
import { readConfig } from "./bff.js";
import type { ConnectRequest } from "./flow.js";
import { settings } from "./session.js";
import { sheet } from "./styles.js";
import { words } from "./words.js";

const loading: Record<string, Promise<void> | undefined> = {};

/** Asks the BFF, once for each language that elements ask for; after a failure the next element asks again. */
export function load({ locale = "" }: ConnectRequest): Promise<void> {
  return (loading[locale] ??= readConfig(locale || (settings.locale ?? "")).then(
    (config) => {
      for (const key in config.words) words[locale + key] = config.words[key];
      settings.delivery = config.delivery;
      sheet.insertRule(`:host{${config.style}}`);
    },
    () => (loading[locale] = undefined),
  ));
}

/** The text of this key: the connector's own, the product's, or the little that the widget knows by itself. */
export const wordOf = ({ connector, locale = "" }: ConnectRequest, key: string): string | undefined =>
  words[locale + connector + " " + key] ?? words[locale + key] ?? words[key];
