// <hitchpost-connections>: a list of the product's connectors. Each row is a <hitchpost-connect> with `layout="row"`.
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
[part=search]:focus-visible { outline: 2px solid var(--hitchpost-accent, light-dark(#1d4ed8, #93c5fd)); outline-offset: 1px; }
[part=none] { margin: .75em 0; }
hitchpost-connect { display: block; padding: .8em 0; }
`;

/** Draws the list into `element`, and again whenever texts or connectors change. */
export function install(kit: Kit, element: HTMLElement): void {
  const root = element.attachShadow({ mode: "open" });
  const sheet = sheetOf(STYLES);
  if (sheet) root.adoptedStyleSheets = [sheet];
  const list = make("ul", { part: "list", role: "list" });
  const noMatch = make("p", { part: "none" });
  const status = make("div", { ariaLive: "polite" }, noMatch);
  const search = make("input", { part: "search", type: "search", autocomplete: "off" });
  const rows = new Map<string, HTMLElement>();
  root.append(search, list, status);

  /** A request without a connector, for texts that belong to none. */
  const request = (): { connector: string; locale?: string | undefined } => ({ connector: "", locale: element.getAttribute("locale") ?? undefined });
  const word = (key: string, fallback?: string): string => kit.wordOf(request(), key, fallback);
  const filterRows = (): void => {
    const query = search.value.trim().toLocaleLowerCase();
    let found = 0;
    for (const [key, row] of rows) {
      row.hidden = !(kit.offerOf({ ...request(), connector: key })?.name ?? key).toLocaleLowerCase().includes(query);
      found += +!row.hidden;
    }
    noMatch.textContent = rows.size && !found ? word("list_none", "Nothing found") : "";
    noMatch.hidden = !noMatch.textContent;
  };
  const draw = (): void => {
    const offers = kit.offersIn(request().locale);
    for (const [key, row] of rows) {
      if (offers[key]) continue;
      row.remove();
      rows.delete(key);
    }
    for (const key of Object.keys(offers)) {
      const row = rows.get(key) ?? addRow(key);
      const button = row.firstElementChild;
      for (const name of ROW_ATTRIBUTES) {
        const value = element.getAttribute(name);
        if (value === null) button?.removeAttribute(name);
        else button?.setAttribute(name, value);
      }
      rows.set(key, row);
    }
    search.hidden = rows.size < SEARCH_FROM;
    Object.assign(search, { placeholder: word("list_search", "Search"), ariaLabel: word("list_search", "Search") });
    list.ariaLabel = word("list_label", "Connections");
    for (const each of [search, list, status]) Object.assign(each, { lang: word("lang"), dir: word("dir") });
    filterRows();
  };
  const addRow = (key: string): HTMLElement => {
    const button = document.createElement("hitchpost-connect");
    button.setAttribute("connector", key);
    button.setAttribute("layout", "row");
    const row = make("li", { part: "row" }, button);
    list.append(row);
    return row;
  };

  search.oninput = filterRows;
  kit.subscribers.add(draw);
  const load = (): void => { void kit.loadConfig(request()).then(draw); };
  new MutationObserver(load).observe(element, { attributeFilter: ROW_ATTRIBUTES });
  load();
}
