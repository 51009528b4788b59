// The product's words and look, read once for all elements that speak the same language.
import { readConfig } from "./bff.js";
import type { Told } from "./errors.js";
import type { ConnectRequest } from "./flow.js";
import { bffOrigin, identity, settings } from "./session.js";
import { sheet } from "./styles.js";
import { spelled, words } from "./words.js";

// English, as long as the BFF has told no words, where the key itself would not be understood.
Object.assign(words, { button: "Connect", unsure: "Window closed?", continue_here: "Continue in this tab" });

/** Called after settings or words have changed: what is shown may read otherwise now. */
export const watchers = new Set<() => void>();

/** How the account's connectors stand, by key, as the BFF told last: `connected`, `disconnected` or `unknown`. */
export const states: Record<string, string> = {};

/** The connectors that cannot be connected, by key, and why: known before anybody clicks. */
export const unavailable: Record<string, Told["error"] | undefined> = {};

const loading: Record<string, Promise<void> | undefined> = {};

/**
 * Asks the BFF, once for each language that elements ask for, and again for other settings; after a failure the next
 * element asks again. All elements are named anew when the words come.
 */
export async function load({ locale = "" }: ConnectRequest): Promise<void> {
  const key = `${identity}${locale}`;
  if (!bffOrigin()) return; // There is nobody to ask yet: `configure` has every element ask again.
  await (loading[key] ??= readConfig(locale || (settings.locale ?? "")).then(
    (config) => {
      for (const name in config.words) words[locale + name] = config.words[name];
      for (const { key: connector, state, error } of config.connectors ?? []) {
        states[connector] = state;
        unavailable[connector] = error;
      }
      settings.delivery = config.delivery;
      sheet?.insertRule(`:host{${config.style}}`, sheet.cssRules.length);
      renew();
    },
    () => (loading[key] = undefined),
  ));
}

/** Settings or words have changed. */
export const renew = (): void => { watchers.forEach((watcher) => { watcher(); }); };

/** The text of this key: the connector's own, the product's, or what else there is. */
export const wordOf = ({ connector, locale = "" }: ConnectRequest, key: string, spare = spelled(key)): string =>
  words[locale + connector + " " + key] ?? words[locale + key] ?? words[key] ?? spare;
