// @vitest-environment happy-dom
// The name of the button, whatever is between its tags, and whenever its texts are loaded.
import { describe, expect, it } from "vitest";
import { add, main, names, part, pick, status, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { configure } from "../src/session.js";

const page = usePage();
useElements();

describe("the button has a name", () => {
  const named = (element: HTMLElement): string => part(element, "button").textContent;

  it.each([
    ["an empty child", "<span></span>"],
    ["a picture that says nothing", "<img alt=''>"],
    ["a drawing", "<svg><path></path></svg>"],
    ["a style", "<style>b{color:red}</style>"],
    ["a comment", "<!-- here -->"],
    ["a hidden text", "<span hidden></span>"],
  ])("beside %s", async (_, markup) => {
    const element = add("hitchpost-connect", { connector: "crm" });
    element.innerHTML = markup;
    part(element, "button").querySelector("slot")?.dispatchEvent(new Event("slotchange"));
    await pass(0);
    expect(named(element)).toBe("Connect Acme CRM");
  });

  it.each([["a text", "<b>Link it</b>"], ["a picture with words", "<img alt='Link it'>"], ["a label", "<i aria-label='Link it'></i>"]])("from %s of the host's", async (_, markup) => {
    const element = add("hitchpost-connect", { connector: "crm" });
    element.innerHTML = markup;
    part(element, "button").querySelector("slot")?.dispatchEvent(new Event("slotchange"));
    await pass(0);
    expect(named(element)).toBe("");
  });
});

describe("words that come late", () => {
  it("renew all that is shown: the name, how it goes, and what can be chosen", async () => {
    page.bff.configured = false;
    page.bff.words = { popup_blocked: "Fenster blockiert", open_again: "Nochmal", "crm button": "CRM verbinden" };
    FakePopup.refuse = true;
    const element = add("hitchpost-connect", { connector: "crm", locale: "x-late" });
    main(element).click();
    await pass(0);
    expect([main(element).textContent, status(element)]).toEqual(["Connect", "Popup blocked"]);
    page.bff.configured = true;
    await pass(600);
    expect([main(element).textContent, status(element), names(element)[0]]).toEqual(["CRM verbinden", "Fenster blockiert", "Nochmal"]);
    pick(element, "Cancel");
    await pass(0);
  });

  it("renew an error that the browser has found out", async () => {
    page.bff.configured = false;
    page.bff.words = { error_not_signed_in_title: "Abgemeldet", error_not_signed_in_next_step: "Melden Sie sich an." };
    let token = "";
    configure({ session: () => token });
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await pass(0);
    expect(status(element).trim()).toBe("Not signed in\nTry again.");
    token = "tok";
    page.bff.configured = true;
    add("hitchpost-connect", { connector: "crm" });
    await pass(600);
    expect(status(element).trim()).toBe("Abgemeldet\nMelden Sie sich an.");
  });
});
