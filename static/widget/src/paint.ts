// Draws what an element shows beside its button: accounts, status, actions, support code.
import { accountCard, connectionActions, confirmActions } from "./account.js";
import { action, make, append, type Action } from "./dom.js";
import type { Kit } from "./kit.js";
import { LOOKS } from "./looks.js";
import { sheetOf } from "./sheet.js";
import type { Choice, Connection, Offer } from "./types.js";
import type { View } from "./view.js";

/** The choices while something is wrong with the window. */
const IN_TROUBLE: Choice[] = ["open_again", "continue_here", "cancel"];
/** The choices after an `account_mismatch`. */
const AFTER_MISMATCH: Choice[] = ["use_account", "try_again"];

/** English texts until the words are loaded, for keys that would not be understood. */
const FALLBACK_WORDS: Record<string, string> = {
  unsure: "Window closed?",
  continue_here: "Continue in this tab",
  disconnect_ask: "Disconnect {account}?",
  disconnect_yes: "Yes, disconnect",
  needs_reconnect: "Needs attention",
  since: "since {date}",
  since_by: "since {date}, by {name}",
};

/** The parts of an element, and its state between two drawings. */
interface Parts {
  accounts: HTMLElement;
  status: HTMLElement;
  actions: HTMLElement;
  code: HTMLElement;
  logo: HTMLImageElement;
  /** What was drawn last, as JSON. The same is not drawn again, so that the focus stays. */
  shown?: string;
  /** Id of the connection that the user is asked to confirm the end of. */
  asking?: string | undefined;
  /** Whether the call that ends it is running. */
  ending?: boolean;
}

/** What one drawing needs. */
export interface Drawing {
  kit: Kit;
  view: View;
  drawn: Parts;
  offer: Partial<Offer>;
  /** The text of this key. */
  word: (key: string, fallback?: string) => string;
  /** Whether the account may have more than one of this connector. */
  several: boolean;
  /** Whether a card has the connector's name as its title, and not the third-party account's. */
  alone: boolean;
}

/** The function that draws elements. */
export function painter(kit: Kit): (view: View) => void {
  const sheet = sheetOf("");
  const all = new WeakMap<View, Parts>();
  let style: string | undefined;
  return (view) => {
    if (style !== (style = `${LOOKS}:host{${kit.settings.style ?? ""}}`)) sheet?.replaceSync(style);
    const drawn = all.get(view) ?? createParts(view, sheet);
    all.set(view, drawn);
    const request = kit.readRequest(view.element);
    const offer: Partial<Offer> = kit.offers[request.connector] ?? {};
    const several = view.connections.length > 1 || (!!offer.multiple && !request.connection);
    const alone = !several || view.element.getAttribute("layout") === "row";
    update({ kit, view, drawn, offer, several, alone, word: (key, fallback = FALLBACK_WORDS[key]) => kit.wordOf(request, key, fallback) });
  };
}

function createParts({ box, button }: View, sheet: CSSStyleSheet | undefined): Parts {
  const drawn: Parts = {
    accounts: make("ul", { part: "accounts", role: "list" }),
    status: make("div", { part: "status", ariaLive: "polite" }),
    actions: make("div", { part: "actions" }),
    code: make("div", { part: "code" }),
    logo: make("img", { part: "logo", alt: "" }),
  };
  drawn.logo.onerror = () => { drawn.logo.hidden = true; }; // The page's policy may block it.
  button.insertBefore(drawn.logo, button.firstChild);
  box.insertBefore(drawn.accounts, box.firstChild); // First in the card, also in the order of Tab.
  append(box, drawn.status, drawn.actions, drawn.code);
  const root = box.getRootNode() as ShadowRoot;
  if (sheet) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return drawn;
}

function update(draw: Drawing): void {
  const { view, drawn, offer, word, kit } = draw;
  const { box, button, connections, step, failure } = view;
  const asked = connections.find(({ id }) => !step && id === drawn.asking);
  const row = view.element.getAttribute("layout") === "row";
  const card = row || connections.length > 0;
  button.hidden ||= !!asked;
  view.element.toggleAttribute("data-card", card); // Before the return: the width must not change.
  // All that the drawing below depends on.
  const now = JSON.stringify([offer, connections, step, failure === null ? "well" : failure, asked, row, word("lang"), button.hidden, view.state, kit.settings.advice, drawn.ending, word("reconnect"), word(step ?? "connected"), failure && word(`error_${failure.code}_title`)]);
  if (now === drawn.shown) return;
  drawn.shown = now;

  const focused = (box.getRootNode() as ShadowRoot).activeElement;
  const lost = focused && focused !== button && box.contains(focused);
  box.toggleAttribute("data-card", card);
  box.toggleAttribute("data-trouble", !!step || !!failure || !!asked);
  Object.assign(box, card ? { role: "group", ariaLabel: offer.name ?? null } : { role: null, ariaLabel: null });
  button.toggleAttribute("data-quiet", view.state === "connected");
  button.toggleAttribute("data-text", card && view.state === "connected" && !draw.several);
  showLogo(drawn.logo, card ? undefined : offer.logo);
  const shown = connections[0] ?? !row ? connections : [{ ...offer, state: offer.state ?? "disconnected" } as Connection];
  drawn.accounts.replaceChildren(...shown.map((connection) => accountCard(draw, connection, step ?? asked ? [] : connectionActions(draw, connection, true))));
  showStatus(draw, asked, card);
  drawn.actions.replaceChildren(...mainActions(draw, asked).map(action));
  showCode(draw);
  // The button that had the focus may be gone: the focus moves to the main one.
  if (lost && !box.contains(focused)) (button.hidden ? box.querySelector<HTMLElement>("[part=action]:last-child") : button)?.focus();
}

/** Shows the status text, unless the card says it already. Screen readers announce changes of it. */
function showStatus({ drawn, kit, view: { step, failure, state, connections }, word }: Drawing, asked: Connection | undefined, card: boolean): void {
  const { status } = drawn;
  const key = `error_${failure?.code ?? ""}_`;
  const title = failure && word(failure.code, word(key + "title", failure.title));
  const parts = asked
    ? [word("disconnect_ask").replace("{account}", asked.external_account ?? asked.name)]
    : step ?? drawn.ending
      ? [word(step ?? "finishing")]
      : failure && title
        ? [make("b", { textContent: title }), `\n${word(key + "next_step", failure.nextStep)}`]
        : [kit.settings.advice ?? (failure === null || (state === "connected" && !connections[0]) ? word("connected") : "")];
  const said = append(make("div", {}), ...parts.filter((part) => part).map((part) => (typeof part === "string" ? document.createTextNode(part) : part)));
  status.toggleAttribute("data-bad", !!failure && !asked && !step);
  status.toggleAttribute("data-heard", failure === null && !step && !asked && card);
  if (status.textContent !== said.textContent) status.replaceChildren(...said.childNodes);
}

/** The actions below the accounts. */
function mainActions(draw: Drawing, asked: Connection | undefined): Action[] {
  const { view, word, kit, drawn } = draw;
  const { step, failure, connections, element, state } = view;
  const choices = (list: Choice[], about?: string): Action[] =>
    list.map((choice) => ({ text: word(choice), quiet: choice === "cancel", act: () => { kit.press(element, choice, about); } }));
  if (asked) return confirmActions(draw, asked);
  if (drawn.ending) return [];
  if (step) return state === "trouble" ? choices(IN_TROUBLE) : [];
  if (failure?.code === "account_mismatch") return choices(AFTER_MISMATCH, failure.attempt);
  return connections.flatMap((connection) => connectionActions(draw, connection, false));
}

/** Shows the support code, with a button that copies it. */
function showCode({ view: { failure, step }, drawn: { code }, word }: Drawing): void {
  const text = step ? "" : (failure?.supportCode ?? "");
  const value = make("code", { textContent: text, dir: "ltr" });
  const copy = action({
    text: word("copy"),
    quiet: true,
    act: () => {
      navigator.clipboard.writeText(value.textContent).then(
        () => { copy.textContent = word("copied"); },
        () => getSelection()?.selectAllChildren(value), // Not allowed: select it, so that the user can copy it.
      );
    },
  });
  code.replaceChildren(...(text ? [make("span", { textContent: word("support_code") }), value, ...("clipboard" in navigator ? [copy] : [])] : []));
}

function showLogo(logo: HTMLImageElement, url: string | null | undefined): void {
  if (url === logo.getAttribute("src")) return;
  logo.hidden = !url;
  if (url) logo.src = url;
  else logo.removeAttribute("src");
}
