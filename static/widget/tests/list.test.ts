// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { refresh, subscribers } from "../src/config.js";
import { main, part, pick, useElements } from "./elements.js";
import { list, offer, rows, search, type, useLists, visible } from "./lists.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();
useLists();

describe("the list of connections", () => {
  it("gives its rows a changed attribute, and takes a removed one from them", async () => {
    page.bff.account.offers.erp = { name: "Acme ERP", state: "disconnected" };
    const element = await list({ message: "one" });
    const message = (): string | null | undefined => rows(element)[0]?.firstElementChild?.getAttribute("message");
    element.setAttribute("message", "two");
    await pass(0);
    expect(message()).toBe("two");
    element.removeAttribute("message");
    await pass(0);
    expect(message()).toBeNull();
  });

  it("has a row for each connector, with its name, how it stands and what can be done", async () => {
    page.bff.account.offers.erp = { name: "Acme ERP", state: "disconnected" };
    page.bff.account.add("crm");
    const element = await list();
    expect(visible(element).sort()).toEqual(["crm", "erp"]);
    const [erp, crm] = ["erp", "crm"].map((key) => element.shadowRoot?.querySelector<HTMLElement>(`[connector=${key}]`));
    if (!erp || !crm) throw new Error("a row is missing");
    const said = [erp, crm].map((each) => part(each, "tag").textContent);
    expect(said).toEqual(["Not connected", "Connected"]);
    expect(part(erp, "who").textContent).toContain("Acme ERP");
    expect(part(crm, "who").textContent).toContain("ada@crm.example");
    expect([main(erp).textContent, main(crm).textContent]).toEqual(["Connect", "Reconnect"]);
    pick(crm, "Disconnect");
    pick(crm, "Yes, disconnect");
    await pass(500);
    expect(part(crm, "tag").textContent).toBe("Not connected");
  });

  it.each([
    [12, true],
    [13, false],
  ])("of %i connectors has a search field: hidden %s", async (count, hidden) => {
    offer(page, count);
    expect(search(await list()).hidden).toBe(hidden);
  });

  it("finds by any part of a name, in any case, and says when nothing is found", async () => {
    offer(page, 13);
    page.bff.account.offers.mail = { name: "Grüße MAIL", state: "disconnected" };
    const element = await list();
    type(element, "  GRÜßE m ");
    expect(visible(element)).toEqual(["mail"]);
    expect(part(element, "none").hidden).toBe(true);
    type(element, "nothing of the kind");
    expect([visible(element), part(element, "none").textContent, part(element, "none").hidden]).toEqual([[], "Nothing found", false]);
    expect(part(element, "none").parentElement?.ariaLive).toBe("polite");
    type(element, "");
    expect([visible(element).length, part(element, "none").textContent]).toEqual([14, ""]);
  });

  it("keeps what was searched for, and the focus, when states are told anew", async () => {
    offer(page, 13);
    const element = await list();
    search(element).focus();
    type(element, "connector 13");
    window.dispatchEvent(new Event("focus"));
    await pass(5000);
    expect(visible(element)).toEqual(["c13"]);
    expect(element.shadowRoot?.activeElement).toBe(search(element));
  });

  it("can be used by keyboard alone: the search first, then row by row, in the order that is seen", async () => {
    offer(page, 13);
    const element = await list();
    expect(search(element).compareDocumentPosition(part(element, "list")) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    expect(element.shadowRoot?.querySelector("[tabindex]")).toBeNull();
    for (const row of rows(element)) {
      const buttons = [...(row.firstElementChild?.shadowRoot?.querySelectorAll("button") ?? [])];
      expect(buttons.map((button) => [button.tagName, button.hasAttribute("tabindex")])).toEqual([["BUTTON", false]]);
    }
  });

  it("is named, and says its language and direction, to whoever hears it", async () => {
    offer(page, 13);
    page.bff.words = { list_label: "Your connections", list_search: "Search connectors", lang: "ar", dir: "rtl" };
    const element = await list();
    expect([part(element, "list").ariaLabel, search(element).ariaLabel, search(element).placeholder]).toEqual(["Your connections", "Search connectors", "Search connectors"]);
    expect([part(element, "list").lang, part(element, "list").dir]).toEqual(["ar", "rtl"]);
    expect(part(element, "list").getAttribute("role") ?? part(element, "list").role).toBe("list");
  });

  it("passes on to each row what is said of the list", async () => {
    offer(page, 2);
    const element = await list({ locale: "de", message: "done" });
    expect(rows(element).map((row) => ["locale", "message", "layout"].map((name) => row.firstElementChild?.getAttribute(name)))).toEqual([["de", "done", "row"], ["de", "done", "row"]]);
  });

  it("reads the configuration once, in its own language", async () => {
    offer(page, 2);
    await list({ locale: "de" });
    expect(page.bff.asked("GET", "/config").map(({ query }) => query)).toEqual(["?locale=de"]);
  });

  it("is no longer told of changes once it has left the page, and again when it is back", async () => {
    const others = subscribers.size;
    offer(page, 2);
    const element = await list();
    const rowsOf = rows(element).length;
    expect(subscribers.size).toBe(others + 1 + rowsOf);
    element.remove();
    expect(subscribers.size).toBe(others);
    offer(page, 3);
    refresh();
    document.body.append(element);
    await pass(500);
    expect(visible(element)).toEqual(["c1", "c2", "c3"]);
  });

  it("has them in the order of the product file, also after it has changed, and moves no other row", async () => {
    offer(page, 3);
    const element = await list();
    const before = rows(element);
    const { c1, ...others } = page.bff.account.offers;
    delete page.bff.account.offers.c1;
    delete page.bff.account.offers.c3;
    Object.assign(page.bff.account.offers, { c3: others.c3, c1 });
    const moved: Node[] = [];
    new MutationObserver((records) => { for (const { addedNodes } of records) moved.push(...addedNodes); }).observe(part(element, "list"), { childList: true });
    refresh();
    await pass(500);
    expect(visible(element)).toEqual(["c2", "c3", "c1"]);
    expect(new Set(rows(element))).toEqual(new Set(before));
  });

  it("loses no row that is there, and gets those that come", async () => {
    offer(page, 2);
    const element = await list();
    const before = rows(element);
    offer(page, 3);
    window.dispatchEvent(new Event("focus"));
    await pass(5000);
    expect(rows(element).slice(0, 2)).toEqual(before);
    expect(visible(element)).toEqual(["c1", "c2", "c3"]);
  });

  it("loses the row of a connector that is offered no more", async () => {
    offer(page, 3);
    const element = await list();
    delete page.bff.account.offers.c2;
    window.dispatchEvent(new Event("focus"));
    await pass(5000);
    expect(visible(element)).toEqual(["c1", "c3"]);
  });
});

describe("a list that has become short", () => {
  it("is not left filtered without a field", async () => {
    offer(page, 13);
    const element = await list();
    type(element, "connector 13");
    expect(visible(element)).toEqual(["c13"]);
    for (let number = 4; number <= 13; number++) Reflect.deleteProperty(page.bff.account.offers, `c${number.toString()}`);
    refresh();
    await pass(2000);
    expect([search(element).hidden, visible(element), part(element, "none").textContent]).toEqual([true, ["c1", "c2", "c3"], ""]);
  });
});

it.each(["unknown", "pending"] as const)("a row whose connector has no connection, and is %s, offers nothing to reconnect or to disconnect", async (state) => {
  page.bff.account.offers.crm = { name: "Acme CRM", multiple: true, state };
  const element = await list();
  const row = rows(element)[0]?.firstElementChild as HTMLElement;
  expect([part(row, "title").textContent, row.shadowRoot?.querySelectorAll("[part=action]").length]).toEqual([expect.stringContaining("Acme CRM"), 0]);
});
