// What a button on the page asks for, read from its attributes.
import type { ConnectRequest } from "./flow.js";
import { settings } from "./session.js";

/** The widget's own element. */
export const TAG = "hitchpost-connect";

/** Selector of the host's own buttons. */
export const OWN = "[data-hitchpost-connect]";

/** True for `<hitchpost-connect>`, false for a host's own button. */
export const isOurs = (button: Node): button is Element => (button as Partial<Element>).localName === TAG;

/** Reads the attributes of our element, or the data-hitchpost-* ones of a host's own button. */
export function readRequest(button: Element): ConnectRequest {
  const prefix = isOurs(button) ? "" : "data-hitchpost-";
  const get = (name: string): string | undefined => button.getAttribute(prefix + name) ?? undefined;
  return {
    connector: get(prefix ? "connect" : "connector") ?? "",
    connection: get("connection"),
    message: get("message"),
    locale: get("locale"),
    delivery: (get("delivery") as ConnectRequest["delivery"]) ?? settings.delivery,
  };
}
