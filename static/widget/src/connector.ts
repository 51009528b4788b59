// Finds a connector in the configuration.
import type { Kit } from "./kit.js";
import type { ConnectorStatus, ConnectRequest } from "./types.js";

/** The connector that a request names; undefined until it is loaded, and if the product has no such connector. */
export const connectorOf = ({ connectorsIn }: Kit, { connector, locale }: ConnectRequest): ConnectorStatus | undefined => connectorsIn(locale)?.[connector];
