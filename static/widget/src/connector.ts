// Finds a connector in the configuration.
import type { Kit } from "./kit.js";
import type { ConnectorStatus, ConnectRequest } from "./types.js";

/** The connectors by key, in this language; until they are loaded, in the default language; undefined until those are loaded. */
export function connectorsIn({ loadedConnectors, userEpoch }: Kit, locale = ""): Kit["loadedConnectors"][string] {
  const epoch = userEpoch();
  return loadedConnectors[`${epoch}${locale}`] ?? loadedConnectors[epoch];
}

/** The connector that a request names; undefined until it is loaded, and if the product has no such connector. */
export const connectorOf = (kit: Kit, { connector, locale }: ConnectRequest): ConnectorStatus | undefined => connectorsIn(kit, locale)?.[connector];
