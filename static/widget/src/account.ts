// One connected account: logo, names, state, and the actions on it.
import { action, make, type Action } from "./dom.js";
import type { Drawing } from "./paint.js";
import type { ConnectError } from "./errors.js";
import type { Connection } from "./types.js";

/** The card of an account. `actions` are its own actions. */
export function accountCard({ offer, word, kit, alone }: Drawing, connection: Connection, actions: Action[]): HTMLElement {
  const { state, reason_text, external_account } = connection;
  const lines = [alone ? connection.name : external_account ?? connection.name, alone && external_account, since(connection, word)];
  const [title = "", ...rest] = lines.filter((line) => line) as string[];
  const tag = make("span", { part: "tag", textContent: word(state === "disconnected" ? "not_connected" : state) });
  tag.dataset.state = state;
  const first = make("div", { part: "title" }, make("bdi", { textContent: title }), tag);
  const who = make("div", { part: "who" }, first, ...rest.map((line) => make("span", {}, make("bdi", { textContent: line }))));
  const head = make("div", { part: "head" }, ...(offer.logo ? [make("img", { part: "logo", alt: "", src: new URL(offer.logo, kit.settings.base).href })] : []), who);
  const reason = reason_text ?? (state === "needs_reconnect" ? word("sign_in_again") : "");
  const part = make(
    "li",
    { part: "account" },
    head,
    ...(reason ? [make("p", { part: "reason", textContent: reason })] : []),
    ...(actions[0] ? [make("div", { part: "actions" }, ...actions.map(action))] : []),
  );
  part.dataset.state = state;
  return part;
}

/** Since when it is connected, and by which of the host's users. */
function since({ connected_at, connected_by_name }: Connection, word: Drawing["word"]): string {
  if (!connected_at) return "";
  const date = new Date(connected_at).toLocaleDateString(word("lang") || undefined, { dateStyle: "medium" });
  return word(connected_by_name ? "since_by" : "since").replace("{date}", date).replace("{name}", connected_by_name ?? "");
}

/** The actions on a connection. Of several, each card has its own (`inside`); of one, they stand below it, beside the reconnect button. */
export function connectionActions({ several, view, kit, word, drawn }: Drawing, { id, state, may_disconnect }: Connection, inside: boolean): Action[] {
  if (inside !== several || state === "disconnected") return [];
  const reconnect: Action = { text: word("reconnect"), act: () => { kit.press(view.element, "reconnect", id); } };
  const disconnect: Action = {
    text: word("disconnect"),
    quiet: true,
    about: id,
    act: () => {
      drawn.asking = id;
      view.draw();
    },
  };
  return [...(inside ? [reconnect] : []), ...(may_disconnect === false ? [] : [disconnect])];
}

/** The buttons that confirm or keep a connection that the user asked to end. Escape keeps it. */
export function confirmActions(draw: Drawing, connection: Connection): Action[] {
  const { view, word, drawn } = draw;
  const { id } = connection;
  const { box } = view;
  const answer = (yes: boolean) => (): void => {
    box.onkeydown = null;
    drawn.asking = undefined;
    drawn.ending = yes;
    view.draw();
    if (yes) void end(draw, connection);
    else box.querySelector<HTMLElement>(`[name="${id}"]`)?.focus();
  };
  box.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // Keeps a dialog around the element open.
    answer(false)();
  };
  return [
    { text: word("disconnect_yes"), bad: true, act: answer(true) },
    { text: word("keep"), quiet: true, act: answer(false) },
  ];
}

/** Ends a connection. Shows a failure only if the connection is still there. */
async function end({ view, kit, drawn }: Drawing, { id }: Connection): Promise<void> {
  let failure: ConnectError | undefined;
  try {
    await kit.disconnect(id, view.element);
  } catch (error) {
    failure = error as ConnectError;
    kit.refresh();
  }
  await kit.load(kit.readRequest(view.element));
  drawn.ending = false;
  // Another page or user may have ended it at the same time.
  view.show(undefined, view.connections.some((connection) => connection.id === id) ? failure : undefined);
}
