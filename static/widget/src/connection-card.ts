// One connection: logo, names of its third-party account, state, and the actions on it.
import { action, make, type Action } from "./dom.js";
import { keepFailure, noteConnectionOnFailure } from "./failures.js";
import type { Kit } from "./kit.js";
import type { Drawing } from "./draw-panel.js";
import type { ConnectError } from "./errors.js";
import type { Connection } from "./types.js";

/** What a card shows: a connection, or, in a row that has none, only the connector's name and state. */
export type CardContent = Pick<Connection, "name" | "state"> & Partial<Connection>;

/** An image with this logo: `logo`, or a new one. It is hidden without a URL, and if it cannot be loaded: the page's CSP may block it. */
export function logoOf(url?: string | null, logo = make("img", { part: "logo", alt: "" })): HTMLImageElement {
  if (url === logo.getAttribute("src")) return logo;
  logo.onerror = () => { logo.hidden = true; };
  logo.hidden = !url;
  if (url) logo.src = url;
  else logo.removeAttribute("src");
  return logo;
}

/** Creates the card of a connection. `actions`: the buttons inside the card, if any. */
export function connectionCard({ connectorStatus, word, titledByConnector }: Drawing, connection: CardContent, actions: Action[]): HTMLElement {
  const { state, reason_text, external_account } = connection;
  const lines = [titledByConnector ? connection.name : (external_account ?? connection.name), titledByConnector && external_account, since(connection, word)];
  const [title = "", ...rest] = lines.filter((line) => line) as string[];
  const tag = make("span", { part: "tag", textContent: word(state === "disconnected" ? "not_connected" : state) });
  tag.dataset.state = state;
  const titleLine = make("div", { part: "title" }, make("bdi", { textContent: title }), tag);
  const who = make("div", { part: "who" }, titleLine, ...rest.map((line) => make("span", {}, make("bdi", { textContent: line }))));
  const head = make("div", { part: "head" }, ...(connectorStatus.logo ? [logoOf(connectorStatus.logo)] : []), who);
  const reason = reason_text ?? (state === "needs_reconnect" ? word("sign_in_again") : "");
  const card = make(
    "li",
    { part: "account" },
    head,
    ...(reason ? [make("p", { part: "reason", textContent: reason })] : []),
    ...(actions[0] ? [make("div", { part: "actions" }, ...actions.map(action))] : []),
  );
  card.dataset.state = state;
  return card;
}

/** Text: when it was connected, and by which of the host's users. Empty if that is unknown. */
function since({ connected_at, connected_by_name }: CardContent, word: Drawing["word"]): string {
  if (!connected_at) return "";
  return word(connected_by_name ? "since_by" : "since").replace("{date}", dateText(connected_at, word("lang"))).replace("{name}", () => connected_by_name ?? "");
}

function dateText(time: string, lang: string): string {
  const date = new Date(time);
  const options = { dateStyle: "medium" } as const;
  try {
    return date.toLocaleDateString(lang || undefined, options);
  } catch {
    return date.toLocaleDateString(undefined, options); // Not every language tag of a product's texts is known to browsers.
  }
}

/** Signs in again to this connection. Without one, signs in to the element's connector. */
export function reconnect(kit: Kit, element: HTMLElement, connection: string | undefined): void {
  noteConnectionOnFailure(kit.run(element, { ...kit.readRequest(element), connection }), connection);
}

/**
 * The actions on a connection. Where there are, or may be, several connections, each card has its own inside. Otherwise they are
 * below the card, beside the reconnect button. Called for each place: inside the cards (`inside`) and below them. Returns actions
 * for one of the two only.
 */
export function connectionActions({ several, view, kit, word, parts }: Drawing, { id, may_disconnect }: CardContent, inside: boolean): Action[] {
  if (inside !== several || !id) return [];
  const reconnectAction: Action = { text: word("reconnect"), act: () => { reconnect(kit, view.element, id); } };
  const disconnect: Action = {
    text: word("disconnect"),
    secondary: true,
    connection: id,
    act: () => {
      parts.confirming = id;
      view.draw();
    },
  };
  return [...(inside ? [reconnectAction] : []), ...(may_disconnect === false ? [] : [disconnect])];
}

/** The actions that answer whether to end a connection: yes, or no. Makes Escape answer no, too. */
export function confirmActions(drawing: Drawing, connection: Connection): Action[] {
  const { view, word, parts } = drawing;
  const { id } = connection;
  const { box } = view;
  const answer = (yes: boolean) => (): void => {
    parts.confirming = undefined;
    parts.disconnecting = yes;
    view.draw();
    if (yes) void disconnectAndShow(drawing, connection);
    else box.querySelector<HTMLElement>(`[name="${id}"]`)?.focus(); // The button that was pressed before, drawn again.
  };
  box.onkeydown = (event) => {
    if (event.key !== "Escape" || !parts.confirming) return;
    event.preventDefault(); // Or a dialog around the element would close.
    answer(false)();
  };
  return [
    { text: word("disconnect_yes"), destructive: true, act: answer(true) },
    { text: word("keep"), secondary: true, act: answer(false) },
  ];
}

/** Ends a connection. Shows a failure only if the connection still exists. */
async function disconnectAndShow({ view, kit, parts }: Drawing, { id }: Connection): Promise<void> {
  let failure: ConnectError | undefined;
  keepFailure(kit, view.element, undefined); // The error of an earlier sign-in is not to be shown again.
  try {
    await kit.disconnect(id, view.element);
  } catch (error) {
    failure = error as ConnectError;
    kit.refresh();
  }
  await kit.loadConfig(kit.readRequest(view.element).locale);
  parts.disconnecting = false;
  view.draw(); // Finds the connections also if the element has left the page.
  // Another page or user may have ended it at the same time.
  if (!view.connections.some((connection) => connection.id === id)) failure = undefined;
  view.setStep(view.step, failure);
  if (!failure) return;
  keepFailure(kit, view.element, failure); // For the element that replaces this one, if it has left the page.
  kit.redraw();
}
