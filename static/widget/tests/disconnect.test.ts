// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { kit } from "../src/kit.js";
import { launch, main, names, offered, part, pick, shown, status, useElements } from "./elements.js";
import { problem } from "./fake-bff.js";
import { holdCalls, pass, usePage } from "./page.js";

const page = usePage();
useElements();

const hidden = (element: HTMLElement): boolean => main(element).hidden;

describe("Disconnect", () => {
  it("is asked twice, and ends nothing before", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    pick(element, "Disconnect");
    expect([status(element), names(element), hidden(element)]).toEqual(["Disconnect ada@crm.example?", ["Yes, disconnect", "Keep"], true]);
    await pass(5000);
    expect(page.bff.account.asked).toEqual([]);
    pick(element, "Keep");
    expect([status(element), names(element), hidden(element)]).toEqual(["", ["Disconnect"], false]);
    expect(page.bff.account.asked).toEqual([]);
  });

  it("names the account of the connection that it is about, as it is written", async () => {
    page.bff.account.offers.crm = { multiple: true };
    page.bff.account.add("crm", { external_account: "ada@crm.example" });
    page.bff.account.add("crm", { external_account: "Ca$$h & $&", connected_by_name: "$&" });
    const element = await shown();
    const second = part(element, "accounts").querySelectorAll("[part=account]")[1];
    expect(second?.textContent).toContain("by $&");
    [...(second?.querySelectorAll("button") ?? [])].find(({ textContent }) => textContent === "Disconnect")?.click();
    expect(status(element)).toBe("Disconnect Ca$$h & $&?");
  });

  it("that ends while the user signs in again hides no step of that sign-in", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    const answer = holdCalls(/^DELETE/);
    pick(element, "Disconnect");
    pick(element, "Yes, disconnect");
    await pass(0);
    main(element).click();
    await launch(page);
    answer();
    await pass(500);
    expect([element.getAttribute("state"), status(element)]).toEqual(["busy", "Waiting"]);
    page.bff.end("declined");
    await pass(10_000);
  });

  it("once it is meant ends it, tells the page, and the element is a button again", async () => {
    const { id } = page.bff.account.add("crm");
    const element = await shown();
    const heard: unknown[] = [];
    document.addEventListener("hitchpost:disconnected", ({ target, detail }) => heard.push(target, detail), { once: true });
    pick(element, "Disconnect");
    pick(element, "Yes, disconnect");
    expect(names(element)).toEqual([]); // So that nobody ends it twice.
    await pass(500);
    expect(page.bff.asked("DELETE", `/connections/${id}`)).toHaveLength(1);
    expect(heard).toEqual([element, { connection: id }]);
    expect([element.getAttribute("state"), main(element).textContent, status(element)]).toEqual(["idle", "Connect Acme CRM", ""]);
  });

  it("that is refused says so, and what stands is shown", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    pick(element, "Disconnect");
    page.bff.troubles.push(() => problem(403, "not_allowed", "Ask whoever connected it"));
    pick(element, "Yes, disconnect");
    await pass(500);
    expect(element.getAttribute("state")).toBe("connected");
    expect(status(element)).toContain("Ask whoever connected it");
    expect(names(element)).toEqual(["Disconnect"]);
  });

  it("of what another page has ended is no failure", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    pick(element, "Disconnect");
    page.bff.account.all.length = 0;
    pick(element, "Yes, disconnect");
    await pass(500);
    expect([element.getAttribute("state"), status(element)]).toEqual(["idle", ""]);
  });

  describe("while the page replaces its element", () => {
    /** The user ends a connection, and the page replaces the element during the call. */
    async function replaced(element?: HTMLElement): Promise<HTMLElement> {
      element ??= await shown();
      const answer = holdCalls(/^DELETE/);
      pick(element, "Disconnect");
      pick(element, "Yes, disconnect");
      await pass(0);
      element.remove();
      const replacement = await shown();
      answer();
      await pass(1000);
      return replacement;
    }

    it("is told to the page and shown by the replacement", async () => {
      const { id } = page.bff.account.add("crm");
      const heard: unknown[] = [];
      document.addEventListener("hitchpost:disconnected", ({ target, detail }) => heard.push(target, detail), { once: true });
      expect((await replaced()).getAttribute("state")).toBe("idle");
      expect(heard).toEqual([document, { connection: id }]);
    });

    it("is shown by the replacement to be refused", async () => {
      page.bff.account.add("crm");
      page.bff.troubles.push(() => problem(403, "not_allowed", "Ask whoever connected it"));
      const replacement = await replaced();
      expect([replacement.getAttribute("state"), names(replacement)]).toEqual(["connected", ["Disconnect"]]);
      expect(status(replacement)).toContain("Ask whoever connected it");
    });

    it.each([["ended", false, ""], ["refused", true, "Ask whoever connected it"]])("brings back no error of an earlier sign-in: %s", async (_, refused, told) => {
      page.bff.account.add("crm", { state: "needs_reconnect" });
      const element = await shown();
      main(element).click();
      await launch(page);
      page.bff.end("declined");
      await pass(1000);
      expect(status(element)).toContain("of declined");
      if (refused) page.bff.troubles.push(() => problem(403, "not_allowed", "Ask whoever connected it"));
      const text = status(await replaced(element));
      expect(text).toContain(told);
      expect(text).not.toContain("of declined");
    });

    it("is no failure for the replacement if another page has ended it", async () => {
      page.bff.account.add("crm");
      page.bff.troubles.push(() => {
        page.bff.account.all.length = 0;
        return problem(404, "connection_not_found", "There is no such connection");
      });
      const replacement = await replaced();
      expect([replacement.getAttribute("state"), status(replacement)]).toEqual(["idle", ""]);
    });
  });

  it("is told on the page's own target, if that is no element", async () => {
    const { id } = page.bff.account.add("crm");
    const heard: unknown[] = [];
    const target = new EventTarget();
    target.addEventListener("hitchpost:disconnected", () => heard.push(id));
    await kit.disconnect(id, target);
    expect(heard).toEqual([id]);
  });

  it("succeeds where the page has no such target", async () => {
    const { id } = page.bff.account.add("crm");
    await kit.disconnect(id, document.getElementById("nowhere") as unknown as EventTarget);
    expect(page.bff.account.all).toEqual([]);
  });

  it("of a connection that its element names, among several, leaves nothing to press, since it cannot be reconnected", async () => {
    page.bff.account.offers.crm = { multiple: true, state: "connected" };
    const { id } = page.bff.account.add("crm");
    page.bff.account.add("crm");
    const element = await shown({ connection: id });
    pick(element, "Disconnect");
    pick(element, "Yes, disconnect");
    await pass(1000);
    expect([hidden(element), names(element), status(element)]).toEqual([true, [], "Not connected"]);
    element.removeAttribute("connection");
    await pass(1000);
    expect([hidden(element), main(element).textContent, status(element)]).toEqual([false, "Add another", ""]);
  });

  it.each([["the connector has only one", {}], ["the partner service is away", { multiple: true, state: "unknown" as const }]])("leaves a button to press if %s", async (_, offer) => {
    page.bff.account.offers.crm = offer;
    const element = await shown({ connection: "7" });
    expect([hidden(element), status(element)]).toEqual([false, ""]);
  });

  it("is shown by every element of the connector", async () => {
    page.bff.account.add("crm");
    const [one, other] = [await shown(), await shown()];
    pick(one, "Disconnect");
    pick(one, "Yes, disconnect");
    await pass(500);
    expect(other.getAttribute("state")).toBe("idle");
  });

  it("of one of several offers no action on any of them until it has ended; the focus stays in the element", async () => {
    for (const external_account of ["ada", "grace"]) page.bff.account.add("crm", { external_account });
    const element = await shown();
    const actions = (): (string | null)[] => [...(element.shadowRoot?.querySelectorAll("[part=action]") ?? [])].map(({ textContent }) => textContent);
    const answer = holdCalls(/^DELETE/);
    part(element, "accounts").querySelectorAll<HTMLElement>("button")[1]?.click();
    offered(element)[0]?.focus();
    offered(element)[0]?.click();
    await pass(0);
    expect([actions(), element.shadowRoot?.activeElement]).toEqual([[], part(element, "status")]);
    answer();
    await pass(500);
    expect([actions(), element.shadowRoot?.activeElement]).toEqual([["Disconnect"], main(element)]);
  });
});
