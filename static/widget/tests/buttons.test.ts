// @vitest-environment happy-dom
// The host's own buttons and the widget's work like any button, whatever the page around them does.
import { afterEach, describe, expect, it } from "vitest";
import { add, launch, main, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

const over: (() => void)[] = [];
afterEach(() => { for (const each of over.splice(0)) each(); });

/** Adds a listener that is removed at the end of the test. */
function listen(target: EventTarget, type: string, listener: (event: Event) => void, capture = false): void {
  target.addEventListener(type, listener, capture);
  over.push(() => { target.removeEventListener(type, listener, capture); });
}

/** The first element that matches. Throws if there is none. */
function find(root: ParentNode, selector: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

function own(html: string): HTMLElement {
  add("div", {}).innerHTML = html;
  return find(document, "[data-hitchpost-connect]");
}

async function connects(): Promise<void> {
  expect(FakePopup.opened).toHaveLength(1);
  await launch(page);
  page.bff.end("connected");
  await pass(5000);
  expect(seen.connected).toHaveLength(1);
}

describe("a host's own button", () => {
  it.each<[string, string]>([
    ["a button without a type, in a form", '<form><button data-hitchpost-connect="crm">x</button></form>'],
    ["a submit button", '<form><input type="submit" data-hitchpost-connect="crm"></form>'],
    ["a link", '<a href="/away" data-hitchpost-connect="crm">x</a>'],
    ["a button inside a link", '<a href="/away"><span data-hitchpost-connect="crm">x</span></a>'],
  ])("leaves the page where it is: %s", async (_, html) => {
    const button = own(html);
    const click = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true });
    button.dispatchEvent(click);
    expect(click.defaultPrevented).toBe(true);
    await connects();
  });

  it.each<[string, (button: HTMLElement) => EventTarget, boolean, "stopPropagation" | "stopImmediatePropagation"]>([
    ["above it", () => find(document, "div"), false, "stopPropagation"],
    ["on itself", (button) => button, false, "stopImmediatePropagation"],
    ["on its icon", (button) => button.firstElementChild as HTMLElement, false, "stopPropagation"],
    ["on the way down", () => document, true, "stopImmediatePropagation"],
  ])("hears its click although it is stopped %s", async (_, target, capture, stop) => {
    const button = own('<button data-hitchpost-connect="crm"><i>x</i></button>');
    listen(target(button), "click", (event) => { event[stop](); }, capture);
    (button.firstElementChild as HTMLElement).click();
    await connects();
  });

  it("is found in a shadow root, by hover and by click", async () => {
    const root = add("div", {}).attachShadow({ mode: "open" });
    root.innerHTML = '<section><button data-hitchpost-connect="crm"><i>x</i></button></section>';
    const icon = find(root, "i");
    icon.dispatchEvent(new MouseEvent("pointerover", { bubbles: true, composed: true }));
    await pass(0);
    expect(page.bff.attempts.size).toBe(1);
    icon.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
    await connects();
  });

  it.each([
    '<button disabled data-hitchpost-connect="crm">x</button>',
    '<a href="/away" aria-disabled="true" data-hitchpost-connect="crm">x</a>',
  ])("does nothing while it is disabled: %s", async (html) => {
    const button = own(html);
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    for (const event of [new MouseEvent("pointerover", { bubbles: true }), click]) button.dispatchEvent(event);
    await pass(0);
    expect([FakePopup.opened.length, page.bff.attempts.size]).toEqual([0, 0]);
    if (button.localName === "a") expect(click.defaultPrevented).toBe(true);
  });
});

describe("our element is a button to the page around it", () => {
  it("is pressed by its click(), and by a click that a script sends it", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    element.click();
    element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect(FakePopup.last.focused).toBe(1);
    await connects();
  });

  it("is pressed once by a click on its button", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
    expect([FakePopup.opened.length, FakePopup.last.focused]).toEqual([1, 0]);
    await connects();
  });

  it("follows no link around it", async () => {
    const element = document.createElement("hitchpost-connect");
    element.setAttribute("connector", "crm");
    add("a", { href: "/away" }).append(element);
    const click = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true });
    main(element).dispatchEvent(click);
    expect(click.defaultPrevented).toBe(true);
    await connects();
  });

  it("is not pressed by a click on what it says", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    element.shadowRoot?.querySelector("[part=status]")?.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
    await pass(0);
    expect(FakePopup.opened).toHaveLength(0);
  });

  it("gives the focus to its button", () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    element.focus();
    expect(element.shadowRoot?.activeElement).toBe(main(element));
  });

  it("is disabled by a fieldset around it, as the browser tells it", async () => {
    const element = add("hitchpost-connect", { connector: "crm" }) as HTMLElement & { formDisabledCallback: (disabled: boolean) => void };
    element.formDisabledCallback(true);
    main(element).click();
    expect(FakePopup.opened).toHaveLength(0);
    element.formDisabledCallback(false);
    main(element).click();
    await connects();
  });

  it("is disabled by its property as by its attribute", () => {
    const element = add("hitchpost-connect", { connector: "crm" }) as HTMLElement & { disabled: boolean };
    expect(element.disabled).toBe(false);
    element.disabled = true;
    expect([element.disabled, element.hasAttribute("disabled")]).toEqual([true, true]);
    element.disabled = false;
    expect(element.hasAttribute("disabled")).toBe(false);
  });
});
