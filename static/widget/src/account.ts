// One connected account: its logo, whose it is, how it stands, and what can be done about it.
import { action, make, type Action } from "./dom.js";
import type { Draw } from "./paint.js";
import type { ConnectError } from "./errors.js";
import type { Connection } from "./types.js";

/** The account, with the actions that belong to it alone. */
export function account({ offer, word, kit, alone }: Draw, connection: Connection, acts: Action[]): HTMLElement {
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
    ...(acts[0] ? [make("div", { part: "actions" }, ...acts.map(action))] : []),
  );
  part.dataset.state = state;
  return part;
}

/** Since when, and by which of the host's users. */
function since({ connected_at, connected_by_name }: Connection, word: Draw["word"]): string {
  if (!connected_at) return "";
  const date = new Date(connected_at).toLocaleDateString(word("lang") || undefined, { dateStyle: "medium" });
  return word(connected_by_name ? "since_by" : "since").replace("{date}", date).replace("{name}", connected_by_name ?? "");
}

/** What can be done: `inside` the account where there are several, else below it, beside the button that signs in again. */
export function actionsOf({ several, view, kit, word, drawn }: Draw, { id, state, may_disconnect }: Connection, inside: boolean): Action[] {
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

/** The second question before a connection ends. Escape answers no. */
export function askedActions({ view, word, kit, drawn }: Draw, { id }: Connection): Action[] {
  const { box } = view;
  const answer = (yes: boolean) => (): void => {
    box.onkeydown = null;
    drawn.asking = undefined;
    drawn.ending = yes;
    view.draw();
    if (yes) void end();
    else box.querySelector<HTMLElement>(`[name="${id}"]`)?.focus();
  };
  box.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // Nor does a dialog around it close.
    answer(false)();
  };
  const end = async (): Promise<void> => {
    let failure: ConnectError | undefined;
    try {
      await kit.disconnect(id, view.element);
    } catch (error) {
      failure = error as ConnectError;
      kit.refresh();
    }
    await kit.load(kit.readRequest(view.element));
    drawn.ending = false;
    // It may have been gone already: another page, another user.
    view.show(undefined, view.connections.some((connection) => connection.id === id) ? failure : undefined);
  };
  return [
    { text: word("disconnect_yes"), bad: true, act: answer(true) },
    { text: word("keep"), quiet: true, act: answer(false) },
  ];
}
