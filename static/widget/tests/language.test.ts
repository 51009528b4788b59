// @vitest-environment happy-dom
// The user's language: the texts, their direction, and the `lang` that assistive technology reads.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { add, launch, main, part, status, useElements } from "./elements.js";
import type { Page } from "./page.js";
import { FakePopup } from "./fake-popup.js";
import { BASE, WORDS } from "./fake-bff.js";
import { pass, usePage } from "./page.js";
import { configure } from "../src/session.js";

const page = usePage();
useElements();

/** A page that has not loaded its texts yet. */
async function freshWords(): Promise<void> {
  vi.resetModules();
  const { words } = await import("../src/words.js");
  expect(words).toEqual({});
}

/** The part that has `lang` and `dir`. It contains all others, or an Arabic element would be torn apart on a left-to-right page. */
const parts = (element: HTMLElement): HTMLElement[] => [part(element, "box")];

async function connected(element: HTMLElement, at: Page): Promise<void> {
  main(element).click();
  await launch(at);
  at.bff.end("connected");
  await pass(1000);
}

describe("words", () => {
  beforeEach(() => freshWords());

  it("come in one language for the page, by one call, and say how they are read", async () => {
    const elements = [add("hitchpost-connect", { connector: "crm" }), add("hitchpost-connect", { connector: "crm" })];
    await pass(0);
    for (const element of elements) {
      expect(main(element).textContent).toBe("Connect Acme CRM");
      for (const each of parts(element)) expect([each.lang, each.dir]).toEqual(["en", "ltr"]);
      expect(element.hasAttribute("lang") || element.hasAttribute("dir")).toBe(false);
    }
  });

  it("come in the language of each element that names one, by one call for each", async () => {
    const before = page.bff.asked("GET", "/config").length;
    const german = add("hitchpost-connect", { connector: "crm", locale: "de" });
    const arabic = [add("hitchpost-connect", { connector: "crm", locale: "ar" }), add("hitchpost-connect", { connector: "crm", locale: "ar" })];
    const english = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    const asked = page.bff.asked("GET", "/config").slice(before).map(({ query }) => query);
    expect(asked.filter((query) => query.endsWith("=de") || query.endsWith("=ar")).sort()).toEqual(["?locale=ar", "?locale=de"]);
    expect([german, ...arabic, english].map((element) => main(element).textContent)).toEqual([
      "Mit Acme CRM verbinden",
      "ربط Acme CRM",
      "ربط Acme CRM",
      "Connect Acme CRM",
    ]);
    for (const each of arabic.flatMap(parts)) expect([each.lang, each.dir]).toEqual(["ar", "rtl"]);
    for (const each of parts(german)) expect([each.lang, each.dir]).toEqual(["de", "ltr"]);
    await connected(german, page);
    expect(status(german)).toBe("Verbunden");
    await connected(english, page);
    expect(status(english)).toBe("Connected");
  });

  it("are a connector's own before they are the product's", async () => {
    page.bff.words = { "books connected": "Books are linked", "books button": "Link Books" };
    const books = add("hitchpost-connect", { connector: "books", locale: "x-own" });
    const crm = add("hitchpost-connect", { connector: "crm", locale: "x-own" });
    await pass(0);
    expect([main(books).textContent, main(crm).textContent]).toEqual(["Link Books", WORDS["crm button"]]);
    await connected(books, page);
    expect(status(books)).toBe("Books are linked");
    await connected(crm, page);
    expect(status(crm)).toBe("Connected");
  });

  it("are text, whatever stands in them", async () => {
    const markup = "<img src=x onerror=alert(1)>&lt;b&gt;";
    page.bff.words = { "crm button": markup, connected: markup };
    const element = add("hitchpost-connect", { connector: "crm", locale: "x-markup" });
    await pass(0);
    expect(main(element).textContent).toBe(markup);
    await connected(element, page);
    expect(status(element)).toBe(markup);
    expect(element.shadowRoot?.querySelector("img:not([part]), b")).toBeNull();
  });
});

describe("the language", () => {
  it("of the page stands before the browser's in every call", async () => {
    document.documentElement.lang = "pt-BR";
    const flow = page.connect("crm");
    await launch(page);
    page.bff.end("declined");
    await pass(1000);
    expect(flow.outcome).toMatchObject({ code: "declined" });
    const told = page.bff.calls.map(({ headers }) => headers["Content-Language"]);
    expect(told.length).toBeGreaterThan(1);
    for (const header of told) expect(header).toBe("pt-BR");
    document.documentElement.lang = "";
  });

  it("of a page that is no tag at all breaks nothing", async () => {
    document.documentElement.lang = "日本語";
    page.connect("crm");
    await launch(page);
    expect(page.bff.calls[0]?.headers["Content-Language"]).toMatch(/^[ -~]+$/);
    document.documentElement.lang = "";
    page.bff.end("declined");
    await pass(1000);
  });

  it("that the button names goes to the attempt and to the opening page", async () => {
    const element = add("hitchpost-connect", { connector: "crm", locale: "de" });
    main(element).click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts")[0]?.body).toMatchObject({ locale: "de" });
    expect(new URL(FakePopup.last.url).searchParams.get("locale")).toBe("de");
    page.bff.end("declined");
    await pass(1000);
  });

  it("that the script's tag names stands where no button names one", async () => {
    configure({ base: BASE, locale: "ar" });
    page.connect("crm");
    await launch(page);
    expect(page.bff.asked("POST", "/attempts")[0]?.body).toMatchObject({ locale: "ar" });
    expect(new URL(FakePopup.last.url).searchParams.get("locale")).toBe("ar");
    configure({ locale: undefined });
    page.bff.end("declined");
    await pass(1000);
  });
});

describe("the product's look", () => {
  it("is put on every element, and what the host says of the element itself wins", async () => {
    page.bff.style = "--hitchpost-accent:light-dark(#123456,#abcdef)";
    const element = add("hitchpost-connect", { connector: "crm", locale: "x-look" });
    await pass(0);
    const rules = (element.shadowRoot?.adoptedStyleSheets ?? []).flatMap(({ cssRules }) => [...cssRules]).map(({ cssText }) => cssText);
    // A rule of the page for the element takes precedence over the element's own rule for :host (CSS Scoping 1, section 3.3.2).
    expect(rules.some((rule) => rule.startsWith(":host") && rule.includes("#123456"))).toBe(true);
  });
});
