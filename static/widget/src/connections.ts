// <hitchpost-connections>: a list of the product's connectors. Each row is a <hitchpost-connect> with `layout="row"`.
import { connectorsIn } from "./connector.js";
import { make } from "./dom.js";
import type { Kit } from "./kit.js";
import { sheetOf } from "./sheet.js";

/** The attributes that each row gets from the list. */
const ROW_ATTRIBUTES = ["locale", "message", "delivery"];
/** The list has a search field if it has at least this many connectors. */
const SEARCH_FROM = 13;

const STYLES = `
:host { display: block; }
:host([hidden]) { display: none; }
[hidden] { display: none !important; }
[part=list] { margin: 0; padding: 0; list-style: none; }
[part=row] + [part=row] { border-block-start: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
[part=row][hidden] + [part=row] { border-block-start-color: transparent; }
[part=search] {
  box-sizing: border-box; inline-size: 100%; min-block-size: 2.75em; padding: .4em .8em; margin-block-end: .5em; font: inherit; color: inherit; background: none;
  border: 1px solid color-mix(in srgb, currentColor 55%, transparent); border-radius: var(--hitchpost-radius, .5em);
}
:is([part=search], [part=again]):focus-visible { outline: 2px solid var(--hitchpost-accent, light-dark(#1d4ed8, #93c5fd)); outline-offset: 1px; }
[part=none], [part=failed] { margin: .75em 0; }
[part=again] {
  box-sizing: border-box; min-block-size: 2.75em; padding: .4em 1em; margin-block-end: .5em; font: inherit; color: inherit; background: none; cursor: pointer;
  border: 1px solid color-mix(in srgb, currentColor 55%, transparent); border-radius: var(--hitchpost-radius, .5em);
}
[part=again][aria-busy=true] { opacity: .6; cursor: progress; }
hitchpost-connect { display: block; padding: .8em 0; }
`;

type Connectors = NonNullable<ReturnType<typeof connectorsIn>>;

/** One row, and the name of its connector as last read from the BFF. */
interface Row {
  item: HTMLElement;
  button: HTMLElement;
  name: string;
}

/** Adds, names, sorts and removes rows. Moves only those that are out of place: a row that is moved loses the focus. */
function updateRows(rows: Map<string, Row>, list: HTMLElement, element: HTMLElement, connectors: Connectors): void {
  for (const [key, { item }] of rows) {
    if (connectors[key]) continue;
    item.remove();
    rows.delete(key);
  }
  let place = list.firstChild;
  for (const [key, connector] of Object.entries(connectors)) {
    const row = rows.get(key) ?? createRow(key, element);
    if (row.item === place) place = place.nextSibling;
    else list.insertBefore(row.item, place);
    row.name = connector?.name ?? key;
    rows.delete(key); // So that the map has this order, too.
    rows.set(key, row);
  }
}

function createRow(key: string, element: HTMLElement): Row {
  const button = document.createElement("hitchpost-connect");
  button.setAttribute("connector", key);
  button.setAttribute("layout", "row");
  copyAttributes(button, element); // Before it is on the page: it loads what its language needs.
  return { item: make("li", { part: "row" }, button), button, name: key };
}

/** Gives a row's button the attributes of the list. */
function copyAttributes(button: HTMLElement, element: HTMLElement): void {
  for (const name of ROW_ATTRIBUTES) {
    const value = element.getAttribute(name);
    if (value === null) button.removeAttribute(name);
    else button.setAttribute(name, value);
  }
}

/** Shows the rows whose name contains this text. Returns whether there is one. */
function filterRows(rows: Map<string, Row>, text: string): boolean {
  const query = text.trim().toLocaleLowerCase();
  let found = false;
  for (const { item, name } of rows.values()) {
    item.hidden = !name.toLocaleLowerCase().includes(query);
    found ||= !item.hidden;
  }
  return found;
}

/** Draws the list into `element`. Returns the function that loads and draws it again, for when texts or connectors have changed. */
export function install(kit: Kit, element: HTMLElement): () => void {
  const root = element.attachShadow({ mode: "open" });
  const sheet = sheetOf(STYLES);
  if (sheet) root.adoptedStyleSheets = [sheet];
  const list = make("ul", { part: "list", role: "list" });
  const noMatch = make("p", { part: "none" });
  const failed = make("p", { part: "failed" });
  const again = make("button", { part: "again", type: "button" });
  const status = make("div", { ariaLive: "polite" }, noMatch, failed, again);
  const search = make("input", { part: "search", type: "search", autocomplete: "off" });
  const rows = new Map<string, Row>();
  let loads = 0;
  root.append(search, list, status);

  /** A request without a connector, for texts that belong to none. */
  const request = (): { connector: string; locale?: string | undefined } => ({ connector: "", locale: element.getAttribute("locale") ?? undefined });
  const word = (key: string, fallback?: string): string => kit.wordOf(request(), key, fallback);
  const showMatches = (): void => {
    noMatch.textContent = !filterRows(rows, search.value) && rows.size ? word("list_none", "Nothing found") : "";
    noMatch.hidden = !noMatch.textContent;
  };
  /** `wasAsked`: the BFF has been asked for the configuration, so connectors that are still unknown could not be read. */
  const draw = (wasAsked: boolean): void => {
    const connectors = connectorsIn(kit, request().locale);
    // Until the connectors are known, the rows that are there stay: a sign-in may run in one of them.
    if (connectors) updateRows(rows, list, element, connectors);
    for (const { button } of rows.values()) copyAttributes(button, element);
    if ((search.hidden = rows.size < SEARCH_FROM)) search.value = "";
    Object.assign(search, { placeholder: word("list_search", "Search"), ariaLabel: word("list_search", "Search") });
    list.ariaLabel = word("list_label", "Connections");
    for (const each of [search, list, status]) Object.assign(each, { lang: word("lang", "en"), dir: word("dir", "ltr") });
    showMatches();
    if (connectors && again.matches(":focus")) rows.values().next().value?.button.focus(); // The button goes.
    failed.hidden = again.hidden = !wasAsked || !!connectors;
    failed.textContent = failed.hidden ? "" : word("list_failed", "The connections cannot be shown at the moment.");
    again.textContent = word("try_again", "Try again");
  };
  /** Reads the configuration, if that is not done. The answer is ignored if it has been asked for again since. */
  const load = (): void => {
    const mine = ++loads;
    draw(!failed.hidden);
    again.ariaBusy = "true";
    void kit.loadConfig(request().locale).then(() => {
      if (mine !== loads) return;
      again.ariaBusy = "false";
      draw(!!kit.bffOrigin()); // Before `configure` nothing is asked.
    });
  };

  failed.hidden = true;
  search.oninput = showMatches;
  again.onclick = () => {
    if (again.ariaBusy !== "true") kit.refresh();
  };
  new MutationObserver(load).observe(element, { attributeFilter: ROW_ATTRIBUTES });
  load();
  return load;
}
