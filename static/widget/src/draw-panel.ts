// Draws what an element shows beside its button: accounts, status, actions, support code.
import { connectionCard, connectionActions, confirmActions, logoOf, reconnect, type CardContent } from "./connection-card.js";
import { connectorOf } from "./connector.js";
import { action, make, append, type Action } from "./dom.js";
import type { Kit } from "./kit.js";
import { LOOKS } from "./panel-styles.js";
import { sheetOf } from "./sheet.js";
import type { Choice, Connection, ConnectorStatus } from "./types.js";
import type { View } from "./view.js";

/** The choices at a step for which `offersChoice` (controller.ts) is true. */
const STEP_CHOICES: Choice[] = ["open_again", "continue_here", "cancel"];
/** The choices after an `account_mismatch`. The product's policy may not let this user make the first one (`mayAccept`). */
const MISMATCH_CHOICES: Choice[] = ["use_account", "try_again"];

/** English texts until the product's are loaded, for keys whose default (`humanize` in words.ts) would be unclear. */
const FALLBACK_WORDS: Record<string, string> = {
  unsure: "Window closed?",
  continue_here: "Continue in this tab",
  disconnect_ask: "Disconnect {account}?",
  disconnect_yes: "Yes, disconnect",
  needs_reconnect: "Needs attention",
  since: "since {date}",
  since_by: "since {date}, by {name}",
};

/** The parts of an element that the panel draws, and what it remembers between two drawings. */
interface Parts {
  accounts: HTMLElement;
  status: HTMLElement;
  actions: HTMLElement;
  code: HTMLElement;
  logo: HTMLImageElement;
  /** What was drawn last, as JSON. The same is not drawn again, so that the focus is not lost. */
  lastDrawn?: string;
  /** Id of the connection that the user wants to end, and is asked to confirm. */
  confirming?: string | undefined;
  /** Whether the call that ends it is running. */
  disconnecting?: boolean;
}

/** The input of one drawing. */
export interface Drawing {
  kit: Kit;
  view: View;
  parts: Parts;
  connectorStatus: Partial<ConnectorStatus>;
  /** The text of this key. */
  word: (key: string, fallback?: string) => string;
  /** Whether the element shows, or may come to show, more than one connection. */
  several: boolean;
  /** Whether the element names a connection that is no more: of a connector that has several, a new sign-in makes another one. */
  ended: boolean;
  /** Whether a card has the connector's name as its title. Otherwise it has the third-party account's. */
  titledByConnector: boolean;
  /** Grows with each load that brings other texts. */
  textVersion: number;
}

/** Returns the function that draws elements. */
export function panelDrawer(kit: Kit): (view: View) => void {
  const sheet = sheetOf("");
  const partsOf = new WeakMap<View, Parts>();
  let style: string | undefined;
  let loaded: object[] = [];
  let texts: string;
  let textVersion = 0;
  return (view) => {
    // Compares the texts only after a load, which replaces those of one language by another object.
    const current = Object.values(kit.texts) as object[];
    if (current.some((each) => !loaded.includes(each)) && texts !== (texts = JSON.stringify((loaded = current)))) textVersion++;
    if (style !== (style = `${LOOKS}:host{${kit.settings.style ?? ""}}`)) sheet?.replaceSync(style);
    const parts = partsOf.get(view) ?? createParts(view, sheet);
    partsOf.set(view, parts);
    const request = kit.readRequest(view.element);
    const connectorStatus: Partial<ConnectorStatus> = connectorOf(kit, request) ?? {};
    const several = view.connections.length > 1 || (!!connectorStatus.multiple && !request.connection);
    const { state = "unknown", connections = [] } = connectorStatus; // While the state is unknown, so is which connections there are.
    const ended = !!connectorStatus.multiple && !!request.connection && state !== "unknown" && !connections.some(({ id }) => id === request.connection);
    const titledByConnector = !several || view.element.getAttribute("layout") === "row";
    draw({ kit, view, parts, connectorStatus, several, ended, titledByConnector, textVersion, word: (key, fallback = FALLBACK_WORDS[key]) => kit.wordOf(request, key, fallback) });
  };
}

function createParts({ box, button }: View, sheet: CSSStyleSheet | undefined): Parts {
  const parts: Parts = {
    accounts: make("ul", { part: "accounts", role: "list" }),
    status: make("div", { part: "status", ariaLive: "polite", tabIndex: -1 }),
    actions: make("div", { part: "actions" }),
    code: make("div", { part: "code" }),
    logo: logoOf(),
  };
  button.insertBefore(parts.logo, button.firstChild);
  box.insertBefore(parts.accounts, box.firstChild); // First in the card, also for the Tab key.
  append(box, parts.status, parts.actions, parts.code);
  const root = box.getRootNode() as ShadowRoot;
  if (sheet) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  return parts;
}

function draw(drawing: Drawing): void {
  const { view, parts, connectorStatus, kit } = drawing;
  const { box, button, step, failure } = view;
  // The status tells of the sign-in of this element. A card for it as well would move what the user is about to press.
  const connections = view.connections.filter(({ state }) => !step || state !== "pending");
  const toConfirm = connections.find(({ id }) => !step && id === parts.confirming);
  parts.confirming = toConfirm?.id; // A question that is no longer shown must not come back, nor take a press of Escape.
  const row = view.element.getAttribute("layout") === "row";
  const isCard = row || connections.length > 0;
  // Each of several connections has a reconnect action of its own. One that has ended cannot be reconnected.
  button.hidden = !!toConfirm || (!step && (drawing.ended || (connections.length > 1 && !connectorStatus.multiple)));
  view.element.toggleAttribute("data-card", isCard); // Before the early return: a morph of the page may have removed it.
  // Everything on which the drawing below depends. `failure` is undefined (none) or null (connected); JSON writes both as null,
  // so null is replaced.
  const toDraw = JSON.stringify([connectorStatus, connections, step, failure === null ? "connected" : failure, toConfirm, row, button.hidden, button.disabled, view.state, kit.settings.advice, parts.disconnecting, drawing.several, mayUseTab(kit), drawing.textVersion]);
  if (toDraw === parts.lastDrawn) return;
  parts.lastDrawn = toDraw;

  const focused = (box.getRootNode() as ShadowRoot).activeElement;
  const hadFocus = box.contains(focused);
  box.toggleAttribute("data-card", isCard);
  box.toggleAttribute("data-wide-actions", !!step || !!failure || !!toConfirm);
  box.role = isCard ? "group" : null;
  box.ariaLabel = isCard ? (connectorStatus.name ?? null) : null;
  button.toggleAttribute("data-quiet", view.state === "connected");
  button.toggleAttribute("data-text", isCard && view.state === "connected" && !drawing.several);
  logoOf(isCard ? undefined : connectorStatus.logo, parts.logo);
  // A row without a connection has a card that names the connector.
  const { name = "", state = "disconnected" } = connectorStatus;
  const cards: CardContent[] = (connections[0] ?? !row) ? connections : [{ name, state: step && state === "pending" ? "disconnected" : state }];
  // No connection can be acted on while a sign-in runs here, or the user is asked about one, or one is being ended.
  const isBusy = !!(step ?? toConfirm) || parts.disconnecting;
  parts.accounts.replaceChildren(...cards.map((card) => connectionCard(drawing, card, isBusy ? [] : connectionActions(drawing, card, true))));
  drawStatus(drawing, toConfirm, isCard);
  parts.actions.replaceChildren(...mainActions(drawing, toConfirm).map(action));
  for (const each of box.querySelectorAll("button")) each.disabled = button.disabled;
  drawCode(drawing);
  // If what had the focus is gone or hidden, move the focus to the main button. If that is hidden, move it to the last action of
  // the first card that has actions, or, if none has, to the last action below the cards; without actions, to the status, until
  // the next drawing.
  if (hadFocus && (!focused?.isConnected || (focused as HTMLElement).hidden || focused === parts.status)) (button.hidden ? (box.querySelector<HTMLElement>("[part=action]:last-child") ?? parts.status) : button).focus();
}

/** Draws the status text. Screen readers announce its changes. If the card already says that it is connected, the text is for screen readers only. */
function drawStatus({ parts, kit, view: { step, failure, state, connections }, word, ended }: Drawing, toConfirm: Connection | undefined, isCard: boolean): void {
  const { status } = parts;
  const key = `error_${failure?.code ?? ""}_`;
  const title = failure && word(failure.code, word(key + "title", failure.title));
  const content = toConfirm
    ? [word("disconnect_ask").replace("{account}", () => toConfirm.external_account ?? toConfirm.name)]
    : (step ?? parts.disconnecting)
      ? [word(step ?? "finishing")]
      : failure && title
        ? [make("b", { textContent: title }), `\n${word(key + "next_step", failure.nextStep)}`]
        : [kit.settings.advice ?? (ended ? word("not_connected") : failure === null || (state === "connected" && !connections[0]) ? word("connected") : "")];
  const drawn = append(make("div", {}), ...content.filter((part) => part).map((part) => (typeof part === "string" ? document.createTextNode(part) : part)));
  status.toggleAttribute("data-bad", !!failure && !toConfirm && !step);
  status.toggleAttribute("data-visually-hidden", failure === null && !step && !toConfirm && isCard);
  if (status.textContent !== drawn.textContent) status.replaceChildren(...drawn.childNodes);
}

/**
 * Whether to offer `continue_here`. Not in a frame, which a sign-in cannot take (delivery.ts). In the Studio's preview, a frame that
 * shows every choice, no flow runs.
 */
const mayUseTab = ({ flows }: Kit): boolean => self === top || !flows.size;

/** The actions below the accounts. */
function mainActions(drawing: Drawing, toConfirm: Connection | undefined): Action[] {
  const { view, word, kit, parts } = drawing;
  const { step, failure, connections, element, state } = view;
  // `use_account` accepts the other third-party account in place of the connected one. The answer is the new attempt.
  const choose = (choice: Choice): void => {
    const request = kit.readRequest(element);
    const connection = failure?.connection ?? request.connection;
    if (choice === "use_account") void kit.run(element, { ...request, connection }, kit.callBff(`attempts/${failure?.attempt ?? ""}/accept`, {}));
    else if (choice === "try_again") reconnect(kit, element, connection);
    else kit.press(element, choice);
  };
  const choices = (list: Choice[]): Action[] => list.map((choice) => ({ text: word(choice), secondary: choice === "cancel", act: () => { choose(choice); } }));
  if (toConfirm) return confirmActions(drawing, toConfirm);
  if (parts.disconnecting) return [];
  if (step) return state === "trouble" ? choices(STEP_CHOICES.filter((choice) => mayUseTab(kit) || choice !== "continue_here")) : [];
  if (failure?.code === "account_mismatch") return choices(MISMATCH_CHOICES.slice(+(failure.mayAccept === false)));
  return connections.flatMap((connection) => connectionActions(drawing, connection, false));
}

/** Draws the support code, with a button that copies it. */
function drawCode({ view: { failure, step }, parts: { code }, word }: Drawing): void {
  const text = step ? "" : (failure?.supportCode ?? "");
  const value = make("code", { textContent: text, dir: "ltr" });
  const copy = action({
    text: word("copy"),
    secondary: true,
    act: () => {
      navigator.clipboard.writeText(value.textContent).then(
        () => { copy.textContent = word("copied"); },
        () => getSelection()?.selectAllChildren(value), // If the browser refuses, selects it, so that the user can copy it.
      );
    },
  });
  code.replaceChildren(...(text ? [make("span", { textContent: word("support_code") }), value, ...("clipboard" in navigator ? [copy] : [])] : []));
}
