// Draws what an element shows beside its button: whose account, how it goes, what can be chosen, a code for support.
import { account, actionsOf, askedActions } from "./account.js";
import { action, make, put, type Action } from "./dom.js";
import type { Kit } from "./kit.js";
import { LOOKS } from "./looks.js";
import { sheetOf } from "./sheet.js";
import type { Choice, Connection, Offer } from "./types.js";
import type { View } from "./view.js";

/** What can be chosen in trouble. */
const IN_TROUBLE: Choice[] = ["open_again", "continue_here", "cancel"];
/** What can be chosen after another account than the connected one has signed in. */
const AFTER_MISMATCH: Choice[] = ["use_account", "try_again"];

/** English, as long as the BFF has told no words, where the key itself would not be understood. */
const SPARE: Record<string, string> = {
  unsure: "Window closed?",
  continue_here: "Continue in this tab",
  disconnect_ask: "Disconnect {account}?",
  disconnect_yes: "Yes, disconnect",
  needs_reconnect: "Needs attention",
  since: "since {date}",
  since_by: "since {date}, by {name}",
};

/** The parts of an element, and what is known of it between two drawings. */
interface Drawn {
  accounts: HTMLElement;
  status: HTMLElement;
  actions: HTMLElement;
  code: HTMLElement;
  logo: HTMLImageElement;
  /** All that it shows, as text: what is the same is not drawn again, and keeps the focus. */
  shown?: string;
  /** The connection whose end the user is asked about. */
  asking?: string | undefined;
  /** Its end is on its way. */
  ending?: boolean;
}

/** One drawing. */
export interface Draw {
  kit: Kit;
  view: View;
  drawn: Drawn;
  offer: Partial<Offer>;
  /** The text of this key. */
  word: (key: string, spare?: string) => string;
  /** Whether the account may have more than one of this connector. */
  several: boolean;
  /** Whether an account goes by the connector's name: of several, its own name tells them apart. */
  alone: boolean;
}

/** The function that draws an element. */
export function painter(kit: Kit): (view: View) => void {
  const sheet = sheetOf("");
  const all = new WeakMap<View, Drawn>();
  let style: string | undefined;
  return (view) => {
    if (style !== (style = `${LOOKS}:host{${kit.settings.style ?? ""}}`)) sheet?.replaceSync(style);
    const drawn = all.get(view) ?? begin(view, sheet);
    all.set(view, drawn);
    const request = kit.readRequest(view.element);
    const offer: Partial<Offer> = kit.offers[request.connector] ?? {};
    const several = view.connections.length > 1 || (!!offer.multiple && !request.connection);
    const alone = !several || view.element.getAttribute("layout") === "row";
    fill({ kit, view, drawn, offer, several, alone, word: (key, spare = SPARE[key]) => kit.wordOf(request, key, spare) });
  };
}

function begin({ box, button }: View, sheet: CSSStyleSheet | undefined): Drawn {
  const drawn: Drawn = {
    accounts: make("ul", { part: "accounts", role: "list" }),
    status: make("div", { part: "status", ariaLive: "polite" }),
    actions: make("div", { part: "actions" }),
    code: make("div", { part: "code" }),
    logo: make("img", { part: "logo", alt: "" }),
  };
  drawn.logo.onerror = () => { drawn.logo.hidden = true; }; // The page's policy may allow no images of others.
  button.insertBefore(drawn.logo, button.firstChild);
  box.insertBefore(drawn.accounts, box.firstChild); // First of all in a card, for those too who go through it by Tab.
  put(box, drawn.status, drawn.actions, drawn.code);
  const root = box.getRootNode() as ShadowRoot;
  if (sheet) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return drawn;
}

function fill(draw: Draw): void {
  const { view, drawn, offer, word, kit } = draw;
  const { box, button, connections, step, failure } = view;
  const asked = connections.find(({ id }) => !step && id === drawn.asking);
  const row = view.element.getAttribute("layout") === "row";
  const card = row || connections.length > 0;
  button.hidden ||= !!asked;
  view.element.toggleAttribute("data-card", card); // As wide while it is connected again.
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
  drawn.accounts.replaceChildren(...shown.map((connection) => account(draw, connection, step ?? asked ? [] : actionsOf(draw, connection, true))));
  say(draw, asked, card);
  drawn.actions.replaceChildren(...actions(draw, asked).map(action));
  showCode(draw);
  // Nor may the focus fall off the page together with the button that had it.
  if (lost && !box.contains(focused)) (button.hidden ? box.querySelector<HTMLElement>("[part=action]:last-child") : button)?.focus();
}

/** Says how it goes, as far as the card does not; screen readers hear of what is new. */
function say({ drawn, kit, view: { step, failure, state, connections }, word }: Draw, asked: Connection | undefined, card: boolean): void {
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
  const said = put(make("div", {}), ...parts.filter((part) => part).map((part) => (typeof part === "string" ? document.createTextNode(part) : part)));
  status.toggleAttribute("data-bad", !!failure && !asked && !step);
  status.toggleAttribute("data-heard", failure === null && !step && !asked && card);
  if (status.textContent !== said.textContent) status.replaceChildren(...said.childNodes);
}

/** What can be chosen below all. */
function actions(draw: Draw, asked: Connection | undefined): Action[] {
  const { view, word, kit, drawn } = draw;
  const { step, failure, connections, element, state } = view;
  const choices = (list: Choice[], about?: string): Action[] =>
    list.map((choice) => ({ text: word(choice), quiet: choice === "cancel", act: () => { kit.press(element, choice, about); } }));
  if (asked) return askedActions(draw, asked);
  if (drawn.ending) return [];
  if (step) return state === "trouble" ? choices(IN_TROUBLE) : [];
  if (failure?.code === "account_mismatch") return choices(AFTER_MISMATCH, failure.attempt);
  return connections.flatMap((connection) => actionsOf(draw, connection, false));
}

/** What the user can tell support: it can be copied, and never breaks. */
function showCode({ view: { failure, step }, drawn: { code }, word }: Draw): void {
  const text = step ? "" : (failure?.supportCode ?? "");
  const value = make("code", { textContent: text, dir: "ltr" });
  const copy = action({
    text: word("copy"),
    quiet: true,
    act: () => {
      navigator.clipboard.writeText(value.textContent).then(
        () => { copy.textContent = word("copied"); },
        () => getSelection()?.selectAllChildren(value), // Not allowed here: one key does the rest.
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
