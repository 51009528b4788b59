// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { launch, main, names, offered, part, pick, shown, status, useElements } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

const accounts = (element: HTMLElement): HTMLElement[] => [...part(element, "accounts").querySelectorAll<HTMLElement>("[part=account]")];
const within = (account: HTMLElement | undefined, name: string): string => account?.querySelector(`[part=${name}]`)?.textContent ?? "";
const hidden = (element: HTMLElement): boolean => main(element).hidden;

describe("an element whose connector", () => {
  it("is not connected is a button alone", async () => {
    page.bff.states = { crm: "disconnected" };
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent, accounts(element), names(element)]).toEqual(["idle", "Connect Acme CRM", [], []]);
    expect(part(element, "box").getAttribute("role")).not.toBe("group");
  });

  it("is installed and signed in to by nobody is no connection", async () => {
    page.bff.account.add("crm", { state: "disconnected", external_account: null, connected_at: null });
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent, accounts(element)]).toEqual(["idle", "Connect Acme CRM", []]);
  });

  it("somebody is signing in to says so, and can be connected all the same", async () => {
    page.bff.account.add("crm", { state: "pending", external_account: null, connected_at: null, may_disconnect: false });
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent, hidden(element)]).toEqual(["idle", "Connect Acme CRM", false]);
    expect(accounts(element).map((each) => within(each, "tag"))).toEqual(["Pending"]);
    expect(names(element)).toEqual([]);
  });

  it("is connected tells of whose account, since when and by whom, and is quiet", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent, main(element).hasAttribute("data-quiet")]).toEqual(["connected", "Reconnect", true]);
    const [account] = accounts(element);
    expect(within(account, "who")).toBe("Acme CRMConnectedada@crm.examplesince Jan 2, 2030, by Ada");
    expect(within(account, "tag")).toBe("Connected");
    expect(names(element)).toEqual(["Disconnect"]);
  });

  it("is connected as nobody knows whom invents nothing", async () => {
    page.bff.account.add("crm", { external_account: null, connected_at: null, connected_by: null, connected_by_name: null });
    const element = await shown();
    expect(accounts(element).map((each) => within(each, "who"))).toEqual(["Acme CRMConnected"]);
  });

  it("needs a new sign-in looks as if something is to do, and says why", async () => {
    page.bff.account.add("crm", { state: "needs_reconnect", reason: "revoked", reason_text: "Access was taken away." });
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent, main(element).hasAttribute("data-quiet")]).toEqual(["needs-reconnect", "Reconnect", false]);
    expect(accounts(element).map((each) => [within(each, "tag"), within(each, "reason")])).toEqual([["Needs attention", "Access was taken away."]]);
    expect(names(element)).toEqual(["Disconnect"]);
  });

  it("cannot be asked about shows what was connected, as not known now, and no loud Connect", async () => {
    page.bff.account.add("crm", { state: "unknown", last_state: "connected" });
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent]).toEqual(["idle", "Reconnect"]);
    expect(accounts(element).map((each) => within(each, "tag"))).toEqual(["Unknown"]);
  });

  it("cannot be asked about and was never connected can be connected", async () => {
    page.bff.states = { crm: "unknown" };
    const element = await shown();
    expect([element.getAttribute("state"), main(element).textContent, accounts(element)]).toEqual(["idle", "Connect Acme CRM", []]);
  });

  it("this user may not end offers no end", async () => {
    page.bff.account.add("crm", { may_disconnect: false });
    expect(names(await shown())).toEqual([]);
  });
});

describe("several accounts of one connector", () => {
  function two(): void {
    page.bff.account.add("crm", { external_account: "ada@crm.example" });
    page.bff.account.add("crm", { external_account: "grace@crm.example", state: "needs_reconnect" });
  }

  const choices = (account: HTMLElement | undefined): HTMLElement[] => [...(account?.querySelectorAll<HTMLElement>("[part=action]") ?? [])];

  it("are each shown with actions of their own, and the main button is gone: which one would it be?", async () => {
    two();
    const element = await shown();
    expect(accounts(element).map((each) => within(each, "title").replace(within(each, "tag"), ""))).toEqual(["ada@crm.example", "grace@crm.example"]);
    expect(accounts(element).map((each) => choices(each).map(({ textContent }) => textContent))).toEqual([["Reconnect", "Disconnect"], ["Reconnect", "Disconnect"]]);
    expect([hidden(element), names(element)]).toEqual([true, ["Reconnect", "Disconnect"]]);
  });

  it("can get one more where the product lets users add them", async () => {
    two();
    page.bff.account.offers.crm = { multiple: true };
    const element = await shown();
    expect([hidden(element), main(element).textContent]).toEqual([false, "Add another"]);
  });

  it("are drawn as one that is named, as soon as the element names it", async () => {
    page.bff.account.add("crm", { external_account: "ada@crm.example" });
    page.bff.account.offers.crm = { multiple: true };
    const drawn = (element: HTMLElement): string => part(element, "box").innerHTML;
    const element = await shown();
    const named = await shown({ connection: "36001" });
    expect(drawn(element)).not.toBe(drawn(named));
    element.setAttribute("connection", "36001");
    await pass(500);
    expect(drawn(element)).toBe(drawn(named));
  });

  it("are reconnected one by one", async () => {
    two();
    const element = await shown();
    choices(accounts(element)[1])[0]?.click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts").at(-1)?.body).toMatchObject({ connector: "crm", connection: "36002" });
    expect(element.getAttribute("state")).toBe("busy");
    page.bff.end("declined");
    await pass(5000);
  });

  it("an element that names one shows that one alone", async () => {
    two();
    const element = await shown({ connection: "36002" });
    expect(accounts(element).map((each) => within(each, "tag"))).toEqual(["Needs attention"]);
    expect([element.getAttribute("state"), main(element).textContent, names(element)]).toEqual(["needs-reconnect", "Reconnect", ["Disconnect"]]);
  });

  it("only the one that was asked about ends", async () => {
    two();
    const element = await shown();
    choices(accounts(element)[1])[1]?.click();
    expect(status(element)).toBe("Disconnect grace@crm.example?");
    const below = [...part(element, "box").querySelectorAll<HTMLElement>(":scope > [part=actions] > [part=action]")];
    below.find(({ textContent }) => textContent === "Yes, disconnect")?.click();
    await pass(500);
    expect(page.bff.account.asked).toEqual(["36002"]);
    expect(accounts(element).map((each) => within(each, "tag"))).toEqual(["Connected"]);
  });
});

describe("a disabled element", () => {
  it("ends and repairs nothing", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    (element as HTMLElement & { formDisabledCallback: (disabled: boolean) => void }).formDisabledCallback(true); // happy-dom does not call it yet.
    expect(offered(element).map((button) => (button as HTMLButtonElement).disabled)).toEqual([true]);
    pick(element, "Disconnect");
    expect(names(element)).toEqual(["Disconnect"]);
  });
});

describe("the focus", () => {
  const focused = (element: HTMLElement): string | null | undefined => element.shadowRoot?.activeElement?.textContent;

  it("goes to the answer that changes nothing, and back to a button that is there", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    offered(element)[0]?.focus();
    pick(element, "Disconnect");
    expect(focused(element)).toBe("Keep");
    pick(element, "Keep");
    expect(focused(element)).toBe("Disconnect");
    pick(element, "Disconnect");
    pick(element, "Yes, disconnect");
    await pass(500);
    expect(focused(element)).toBe("Connect Acme CRM");
  });

  it("stays on a button that is drawn again as it was", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    const [button] = offered(element);
    button?.focus();
    window.dispatchEvent(new Event("focus"));
    await pass(5000);
    expect(element.shadowRoot?.activeElement).toBe(button);
  });
});
