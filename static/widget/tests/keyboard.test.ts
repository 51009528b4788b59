// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { add, launch, main, names, pick, shown, useElements } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

/** The text of what has the focus inside the element. */
const focused = ({ shadowRoot }: HTMLElement): string => shadowRoot?.activeElement?.textContent.trim() ?? "";
const press = ({ shadowRoot }: HTMLElement, key: string): boolean =>
  shadowRoot?.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })) ?? false;

async function connected(...accounts: string[]): Promise<HTMLElement> {
  for (const name of accounts) page.bff.account.add("crm", { name, external_account: null });
  const element = add("hitchpost-connect", { connector: "crm" });
  await pass(500);
  return element;
}

/** The user comes back to the page, after the time for which its answers are good. */
async function lookAgain(): Promise<void> {
  await pass(60_000);
  dispatchEvent(new Event("focus"));
  await pass(5000);
}

/** Presses what has the focus, as Enter does. */
function enter({ shadowRoot }: HTMLElement, name: string, which = 0): void {
  const found = [...(shadowRoot?.querySelectorAll("button") ?? [])].filter(({ textContent }) => textContent === name)[which];
  found?.focus();
  found?.click();
}

describe("by the keyboard", () => {
  it("the question before an end has the focus on what keeps the connection", async () => {
    const element = await connected("CRM");
    enter(element, "Disconnect");
    expect([names(element), focused(element)]).toEqual([["Yes, disconnect", "Keep"], "Keep"]);
  });

  it("Escape answers it with no, and the focus is where it was; other keys answer nothing", async () => {
    const element = await connected("CRM");
    enter(element, "Disconnect");
    expect(press(element, "a")).toBe(true);
    expect(names(element)).toEqual(["Yes, disconnect", "Keep"]);
    expect(press(element, "Escape")).toBe(false);
    expect([names(element), focused(element)]).toEqual([["Disconnect"], "Disconnect"]);
    expect(press(element, "Escape")).toBe(true);
  });

  it("a question whose connection was ended elsewhere is gone for good, and takes no Escape", async () => {
    const element = await connected("CRM");
    enter(element, "Disconnect");
    const [ended] = page.bff.account.all.splice(0);
    await lookAgain();
    element.shadowRoot?.querySelector("button")?.focus();
    expect([names(element), press(element, "Escape")]).toEqual([[], true]);
    page.bff.account.all.push(...(ended ? [ended] : []));
    await lookAgain();
    expect(names(element)).toEqual(["Disconnect"]);
  });

  it("of several accounts the one that was asked about has it again", async () => {
    const element = await connected("one@acme.example", "two@acme.example");
    enter(element, "Disconnect", 1);
    pick(element, "Keep");
    const account = element.shadowRoot?.activeElement?.closest("li");
    expect([focused(element), account?.textContent.includes("two@acme.example")]).toEqual(["Disconnect", true]);
  });

  it("goes through the accounts of a card before the button below them", async () => {
    const element = await connected("one@acme.example", "two@acme.example");
    const parts = [...(element.shadowRoot?.querySelectorAll("[part=box] > *") ?? [])].map((each) => each.getAttribute("part"));
    expect(parts.slice(0, 2)).toEqual(["accounts", "button"]);
  });

  it("the focus stays in the element when the button that had it is hidden at the end", async () => {
    page.bff.account.offers.crm = { multiple: false };
    await connected("CRM");
    page.bff.account.add("crm", { external_account: "eve" });
    document.body.replaceChildren();
    const element = await shown();
    enter(element, "Reconnect");
    await launch(page);
    expect(element.shadowRoot?.activeElement).toBe(main(element));
    page.bff.end("connected");
    await pass(15_000);
    expect([main(element).hidden, focused(element)]).toEqual([true, "Disconnect"]);
  });
});
