// Loads the configuration: the product's texts, look, connectors and default delivery.
import { readConfig } from "./bff.js";
import { TEMPORARY_CODES, type ConnectError } from "./errors.js";
import { bffOrigin, userEpoch, settings } from "./session.js";
import type { ConnectRequest, Offer } from "./types.js";
import { humanize, words } from "./words.js";

/** Functions that are called after any change of settings, texts or connectors. Each loads what it lacks, and draws or resumes. */
export const subscribers = new Set<() => void>();

/** The product's connectors by key, for each `userEpoch` and language: their states are the user's, their texts have a language. */
export const offers: Record<string, Record<string, Offer | undefined> | undefined> = {};

/**
 * The connectors in this language; until they are loaded, in the default language. Until those are loaded too, another empty object
 * for each call (connections.ts).
 */
// eslint-disable-next-line @typescript-eslint/restrict-plus-operands -- a template costs 18 bytes more
export const offersIn = (locale = ""): Record<string, Offer | undefined> => offers[userEpoch + locale] ?? offers[userEpoch] ?? {};

/** The connector that a request names. */
export const offerOf = ({ connector, locale }: ConnectRequest): Offer | undefined => offersIn(locale)[connector];

/** Pause (milliseconds) before the configuration is read again after an outage. */
const RETRY_AFTER = 60_000;

let loading: Record<string, Promise<void> | undefined> = {};
/** The number of calls so far. */
let calls = 0;
/** The newest call whose answer is used, for each user and language. */
const used: Record<string, number | undefined> = {};

/**
 * Loads the configuration, once for each language and user, and calls the subscribers. After a failure the next call tries
 * again.
 */
export async function loadConfig({ locale = "" }: ConnectRequest): Promise<void> {
  const key = userEpoch + locale; // eslint-disable-line @typescript-eslint/restrict-plus-operands -- as above
  if (!bffOrigin()) return; // `configure` has not been called yet. It will make every element load again.
  const call = ++calls;
  await (loading[key] ??= readConfig(locale || (settings.locale ?? "")).then(
    (config) => {
      // Another user may have signed in since, or a later call been answered before.
      if (key !== userEpoch + locale || call < (used[key] ?? 0)) return; // eslint-disable-line @typescript-eslint/restrict-plus-operands -- as above
      used[key] = call;
      words[locale] = { __proto__: null, ...config.words } as object as Record<string, string>;
      if (config.connectors) {
        const byKey: Record<string, Offer> = (offers[key] = {});
        for (const offer of config.connectors) byKey[offer.key] = offer;
      }
      Object.assign(settings, { delivery: settings.delivery ?? config.delivery, style: config.style, lang: words[""]?.lang });
      redraw();
    },
    (error: unknown) => {
      if (call < (used[key] ?? 0)) return;
      loading[key] = undefined;
      if (TEMPORARY_CODES.test((error as ConnectError).code)) setTimeout(redraw, RETRY_AFTER);
      else offers[key] = undefined; // The user has signed out, or may no longer see them.
    },
  ));
}

/** Calls the subscribers, each in a microtask of its own: one that throws keeps no other from running. */
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
  words[locale]?.[connector + " " + key] ?? words[locale]?.[key] ?? words[""]?.[key] ?? fallback;
