// @vitest-environment happy-dom
// Another user or account signs in while the page stays: an organisation switcher, or a library that loads the next page into it.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { add, launch, main, names, part, shown, status, useElements } from "./elements.js";
import { problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { kept } from "../src/failures.js";
import { kit } from "../src/kit.js";
import { api } from "../src/start.js";

const page = usePage();
const seen = useElements();

beforeEach(() => { vi.stubGlobal("Hitchpost", api); });

const bearers = (): string[] => page.bff.calls.flatMap(({ headers }) => headers.Authorization ?? []);

describe("a sign-in that another user began", () => {
  it("ends within a second, so that the next one's press opens a window of their own", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    await launch(page);
    await pass(14_000); // The widget reads seldom by now.
    page.bff.attempts.clear();
    api.configure({ session: () => "grace" });
    await pass(500);
    expect([FakePopup.opened.length, FakePopup.last.closed, seen.failed]).toEqual([1, true, []]);
    main(element).click();
    await launch(page);
    expect(FakePopup.opened).toHaveLength(2);
    page.bff.end("connected");
    await pass(20_000);
  });

  it("goes on if it is the same user's, though a read was refused just before", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    await launch(page);
    page.bff.troubles.push(() => {
      api.configure({ session: () => "new" });
      return problem(401, "not_signed_in", "You are signed out");
    });
    dispatchEvent(new Event("focus"));
    await pass(2000);
    expect([seen.failed, FakePopup.last.closed, status(element)]).toEqual([[], false, "Waiting"]);
    page.bff.end("connected");
    await pass(20_000);
    expect(seen.connected).toHaveLength(1);
  });

  it("ends in silence, and its button is free", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    await launch(page);
    api.configure({ session: () => "next" });
    page.bff.troubles.push(() => problem(404, "not_found", "There is nothing here"));
    await pass(20_000);
    expect([seen.failed, status(element), names(element), main(element).ariaBusy]).toEqual([[], "", [], "false"]);
  });
});

describe("the session of a page that a library has replaced", () => {
  it.each(["turbo:render", "htmx:historyRestore", "livewire:navigated"])("is asked for again after %s", async (name) => {
    let user = "ada";
    api.configure({ session: () => user });
    add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    user = "grace";
    document.dispatchEvent(new Event(name, { bubbles: true }));
    await pass(500);
    expect([bearers()[0], bearers().at(-1)]).toEqual(["Bearer ada", "Bearer grace"]);
  });

  it("is asked for again when the browser shows the page from its cache", async () => {
    let user = "ada";
    api.configure({ session: () => user });
    add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    user = "grace";
    dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    await pass(500);
    expect(bearers().at(-1)).toBe("Bearer grace");
  });
});

describe("an ending of another user's sign-in", () => {
  /** An element whose sign-in has ended, and whose page then has another user. */
  async function ended(end: () => void, meanwhile: (element: HTMLElement) => void = () => undefined): Promise<HTMLElement> {
    const element = await shown();
    main(element).click();
    await launch(page);
    end();
    await pass(15_000);
    expect(status(element)).not.toBe("");
    meanwhile(element);
    api.configure({ session: () => "grace" });
    await pass(5000);
    return element;
  }

  it.each(["connected", "declined"] as const)("%s is not shown to the next one", async (outcome) => {
    page.bff.states = { crm: "disconnected" };
    const element = await ended(() => { page.bff.end(outcome); });
    expect([element.getAttribute("state"), main(element).textContent]).toEqual(["idle", "Connect Acme CRM"]);
    expect([status(element), part(element, "code").textContent]).toEqual(["", ""]);
  });

  it("is not shown to the next one by a new element either", async () => {
    page.bff.states = { crm: "disconnected" };
    await ended(() => { page.bff.end("declined"); }, (element) => { element.remove(); });
    expect(status(await shown())).toBe("");
  });

  it("is not shown to the next one by another element of the page", async () => {
    page.bff.states = { crm: "disconnected" };
    const other = await shown({ message: "other" });
    await ended(() => { page.bff.end("declined"); }, (element) => { element.remove(); });
    expect(status(other)).toBe("");
  });

  it("offers the next one no account that another has signed in to", async () => {
    page.bff.account.add("crm");
    const element = await ended(() => { Object.assign(page.bff.last, { status: "failed", code: "account_mismatch" }); });
    expect([status(element), names(element)]).toEqual(["", ["Disconnect"]]);
  });
});

describe("what was loaded for one user", () => {
  it("is kept in memory for none of the next", async () => {
    page.bff.states = { crm: "disconnected" };
    await shown();
    for (const user of ["ada", "grace", "mary"]) {
      api.configure({ session: () => user });
      await pass(500);
    }
    expect([Object.keys(kit.loadedConnectors).length, kit.loadedConnectors[kit.userEpoch()]]).toMatchObject([1, { crm: {} }]);
  });
});

describe("an error that no element shows any more", () => {
  async function failed(): Promise<HTMLElement> {
    const element = await shown();
    main(element).click();
    await launch(page);
    page.bff.end("declined");
    await pass(5000);
    expect(kept.size).toBe(1);
    return element;
  }

  it("is dropped with its user, and so is the element", async () => {
    (await failed()).remove();
    api.configure({ session: () => "grace" });
    await pass(500);
    expect(kept.size).toBe(0);
  });

  it("is dropped after a quarter of an hour, and so is the element, when anything is drawn", async () => {
    (await failed()).remove();
    await pass(900_000);
    await shown({ connector: "erp" });
    expect(kept.size).toBe(0);
  });

  it("stays while its element is on the page", async () => {
    const element = await failed();
    await pass(900_000);
    await shown({ connector: "erp" });
    expect([kept.size, status(element)]).toMatchObject([1, expect.stringContaining("declined")]);
  });
});

describe("a call that gets no answer before another user signs in", () => {
  const lost = (): Response => { throw new TypeError("Failed to fetch"); };
  const senders = (method: string): unknown[] => page.bff.calls.filter((call) => call.method === method).map(({ headers }) => headers.Authorization);

  it.each([["gets no answer", lost], ["is refused", () => problem(401, "not_signed_in", "You are signed out")]])("begins nothing as the next one when it %s", async (_, trouble) => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    page.bff.troubles.push(trouble, lost, lost);
    main(element).click();
    await Promise.resolve();
    api.configure({ session: () => "grace" });
    await pass(20_000);
    expect(senders("POST")).not.toContain("Bearer grace");
    expect([FakePopup.last.closed, FakePopup.last.posted, main(element).ariaBusy]).toEqual([true, [], "false"]);
  });

  it("ends no connection as the next one", async () => {
    page.bff.account.add("crm");
    page.bff.troubles.push(lost, lost);
    const ending = api.disconnect("36001").catch((error: unknown) => error);
    await pass(100);
    api.configure({ session: () => "grace" });
    await pass(5000);
    expect(senders("DELETE")).toEqual(["Bearer tok"]);
    expect(await ending).toMatchObject({ code: "cancelled" });
  });
});
