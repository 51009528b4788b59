// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { refresh } from "../src/config.js";
import { configure } from "../src/session.js";
import { launch, main, part, status, useElements } from "./elements.js";
import { list, offer, rows, type, useLists, visible } from "./lists.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();
useLists();

describe("while the connectors cannot be read, the list", () => {
  const line = (element: HTMLElement): [string, boolean] => [part(element, "failed").textContent, !part(element, "again").hidden];
  const SAID: [string, boolean] = ["The connections cannot be shown at the moment.", true];

  /** The user presses *Try again*. */
  const tryAgain = (element: HTMLElement): void => { part(element, "again").click(); };

  it("says so, and has them once the user tries again and they can be read", async () => {
    offer(page, 3);
    page.bff.configured = false;
    const element = await list();
    expect(line(element)).toEqual(["", false]); // It is still being tried.
    await pass(20_000);
    expect(line(element)).toEqual(SAID);
    expect(part(element, "failed").parentElement?.ariaLive).toBe("polite");
    expect(part(element, "again").textContent).toBe("Try again");
    page.bff.configured = true;
    vi.spyOn(part(element, "again"), "matches").mockReturnValue(true); // It has the focus: happy-dom draws no element while a shadow root has it.
    tryAgain(element);
    await pass(500);
    expect([visible(element), line(element)]).toEqual([["c1", "c2", "c3"], ["", false]]);
    expect(element.shadowRoot?.activeElement).toBe(rows(element)[0]?.firstElementChild);
  });

  it("tries once for however many presses, and says that it does", async () => {
    page.bff.configured = false;
    const element = await list();
    await pass(20_000);
    const before = page.bff.asked("GET", "/config").length;
    tryAgain(element);
    await pass(0);
    expect(part(element, "again").ariaBusy).toBe("true");
    tryAgain(element);
    tryAgain(element);
    await pass(0);
    expect(page.bff.asked("GET", "/config").length).toBe(before + 1);
    await pass(20_000);
    expect([part(element, "again").ariaBusy, line(element)]).toEqual(["false", SAID]);
  });

  it("reads them by itself when the page does", async () => {
    offer(page, 3);
    page.bff.configured = false;
    const element = await list();
    await pass(20_000);
    page.bff.configured = true;
    refresh();
    await pass(500);
    expect([visible(element), line(element)]).toEqual([["c1", "c2", "c3"], ["", false]]);
  });

  it("says nothing of a product without connectors, or before the page has called configure", async () => {
    expect(line(await list())).toEqual(["", false]);
    configure({ product: "" });
    expect(line(await list())).toEqual(["", false]);
  });

  it("keeps its rows, a sign-in that runs in one of them, and what was searched for: the page has called configure again", async () => {
    offer(page, 13);
    const element = await list();
    const before = rows(element);
    const row = before[12]?.firstElementChild as HTMLElement;
    main(row).click();
    await launch(page);
    type(element, "connector 13");
    page.bff.configured = false;
    configure({ session: () => "tok" });
    refresh();
    await pass(0);
    expect([rows(element), visible(element)]).toEqual([before, ["c13"]]);
    await pass(20_000);
    type(element, "connector 12");
    expect([rows(element), visible(element), line(element)]).toEqual([before, ["c12"], SAID]);
    expect(row.getAttribute("state")).toBe("busy");
    page.bff.configured = true;
    delete page.bff.account.offers.c1;
    tryAgain(element);
    await pass(500);
    expect([rows(element), status(row), line(element)]).toEqual([before.slice(1), "Waiting", ["", false]]);
  });

  it("keeps what it shows when only a later call fails", async () => {
    offer(page, 3);
    const element = await list();
    page.bff.configured = false;
    refresh();
    await pass(20_000);
    expect([visible(element), line(element)]).toEqual([["c1", "c2", "c3"], ["", false]]);
  });

  it("asks nothing more once it is gone from the page", async () => {
    const element = await list({ locale: "de" });
    element.remove();
    refresh();
    await pass(500);
    expect(page.bff.asked("GET", "/config").filter(({ query }) => query.includes("de"))).toHaveLength(1);
  });
});
