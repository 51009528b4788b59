// The product's words and its connectors' names, read once for all elements.
import { readConfig } from "./bff.js";
import { settings } from "./session.js";
import { words } from "./words.js";

let loading: Promise<void> | undefined;

/** Asks the BFF for words and names. One call serves all elements; after a failure the next element asks again. */
export function load(): Promise<void> {
  return (loading ??= readConfig().then(
    (config) => {
      Object.assign(words, config.words);
      settings.delivery = config.delivery;
      for (const { key, name } of config.connectors) words[nameOf(key)] = name;
    },
    () => (loading = undefined),
  ));
}

/** The text of a connector's button: "Connect" alone until its name is known. */
export function labelOf(connector: string): string {
  const name = words[nameOf(connector)];
  return (name && words.button?.replace("{connector_name}", () => name)) ?? "Connect";
}

// A key that no word of the product can have.
const nameOf = (connector: string): string => `${connector} `;
