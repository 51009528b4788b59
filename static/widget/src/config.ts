// Loads the configuration: the product's texts, look, connectors and default delivery.
import { call } from "./bff.js";
import { TEMPORARY_CODES, type ConnectError } from "./errors.js";
import { bffOrigin, userEpoch, settings } from "./session.js";
import type { Config, ConnectRequest, ConnectorStatus } from "./types.js";
import { humanize, words } from "./words.js";

/** Functions that are called after any change of settings, texts or connectors. Each loads what it lacks, and draws or resumes. */
export const subscribers = new Set<() => void>();

/**
 * The product's connectors by key, for each `userEpoch` and language: their states are the user's, their texts have a language. The panel
 * finds them (connector.ts), and deletes those of previous users.
 */
export const loadedConnectors: Record<string, Record<string, ConnectorStatus | undefined> | undefined> = {};

/** Pause (milliseconds) before the configuration is read again after an outage. */
const RETRY_AFTER = 60_000;

/** The reads since the last `refresh`, for each user and language: those that are running or have succeeded. */
let loading: Record<string, Promise<void> | undefined> = {};
/** The number of calls of `loadConfig` so far. */
let loadCount = 0;
/** Which of these calls brought what is shown now, for each language. */
const newestLoad: Record<string, number | undefined> = {};
/** Reads again after an outage. */
let retryTimer: ReturnType<typeof setTimeout> | undefined;

/** Loads the configuration, once for each language and user, and calls the subscribers. After a failure the next call tries again. */
export async function loadConfig(locale = ""): Promise<void> {
  const key = userEpoch + locale; // eslint-disable-line @typescript-eslint/restrict-plus-operands -- a template costs 18 bytes more
  if (!bffOrigin()) return; // `configure` has not been called yet. It will make every element load again.
  const load = ++loadCount;
  const reads = loading;
  await (reads[key] ??= call<Config>("config?locale=" + encodeURIComponent(locale || (settings.locale ?? ""))).then(
    (config) => {
      // Another user may have signed in since, or a later call been answered before.
      if (key !== userEpoch + locale || load < newestLoad[locale]!) return; // eslint-disable-line @typescript-eslint/restrict-plus-operands, @typescript-eslint/no-non-null-assertion -- as above; nothing is less than undefined
      newestLoad[locale] = load;
      words[locale] = { __proto__: null, ...config.words } as object as Record<string, string>;
      if (config.connectors) {
        const byKey: Record<string, ConnectorStatus> = (loadedConnectors[key] = {});
        for (const connector of config.connectors) byKey[connector.key] = connector;
      }
      Object.assign(settings, { delivery: settings.delivery ?? config.delivery, style: config.style, lang: words[""]?.lang });
      redraw();
    },
    (error: unknown) => {
      if (reads !== loading) return; // A newer read is running, or has succeeded.
      reads[key] = undefined;
      if (TEMPORARY_CODES.test((error as ConnectError).code)) {
        clearTimeout(retryTimer);
        retryTimer = setTimeout(redraw, RETRY_AFTER);
      } else loadedConnectors[key] = undefined; // The user has signed out, or may no longer see them.
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
