// Reads what a button on the page asks for from its attributes.
import { settings } from "./session.js";
import type { ConnectRequest } from "./types.js";

/** The name of the widget's element. */
export const ELEMENT_NAME = "hitchpost-connect";

/** Selector of the host's own buttons. */
export const HOST_BUTTON = "[data-hitchpost-connect]";

/** True for `<hitchpost-connect>`, false for a host's own button. */
export const isWidgetElement = (button: Node): button is Element => (button as Partial<Element>).localName === ELEMENT_NAME;

/** Reads the attributes of `<hitchpost-connect>`, or the data-hitchpost-* attributes of a host's own button. */
export function readRequest(button: Element): ConnectRequest {
  const prefix = isWidgetElement(button) ? "" : "data-hitchpost-";
  const get = (name: string): string | undefined => button.getAttribute(prefix + name) ?? undefined;
  return {
    connector: get(prefix ? "connect" : "connector") ?? "",
    connection: get("connection"),
    message: get("message"),
    locale: get("locale"),
    delivery: (get("delivery") as ConnectRequest["delivery"]) ?? settings.delivery,
  };
}
