// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { add, launch, main, part, shown, status, useElements } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

describe("the state", () => {
  it("is the account's own when the page comes again, and that of a flow while one runs", async () => {
    page.bff.states = { crm: "connected", erp: "disconnected" };
    const [crm, erp] = [add("hitchpost-connect", { connector: "crm" }), add("hitchpost-connect", { connector: "erp" })];
    await pass(500);
    expect([crm.getAttribute("state"), status(crm)]).toEqual(["connected", "Connected"]);
    expect([erp.getAttribute("state"), status(erp)]).toEqual(["idle", ""]);
    main(crm).click();
    await pass(0);
    expect(crm.getAttribute("state")).toBe("busy");
    await launch(page);
    page.bff.end("declined");
    await pass(5000);
    expect(crm.getAttribute("state")).toBe("connected");
  });
});

describe("while its own sign-in runs, an element", () => {
  const drawn = (element: HTMLElement): unknown => [
    [...part(element, "accounts").querySelectorAll("[part=tag]")].map((tag) => tag.textContent),
    part(element, "box").getAttribute("role"),
  ];

  it.each(["", "row"])("keeps its layout when the account tells of that sign-in (%s)", async (layout) => {
    const element = await shown({ layout });
    const before = drawn(element);
    main(element).click();
    await launch(page);
    page.bff.states = { crm: "pending" };
    page.bff.account.add("crm", { state: "pending", external_account: null, connected_at: null, may_disconnect: false });
    await pass(5000);
    window.dispatchEvent(new Event("focus"));
    await pass(500);
    expect(status(element)).not.toBe("");
    expect(drawn(element)).toEqual(before);
    page.bff.end("declined");
    await pass(5000);
  });

  it("still says in its row that the connector cannot be asked about", async () => {
    page.bff.states = { crm: "unknown" };
    const element = await shown({ layout: "row" });
    main(element).click();
    await launch(page);
    expect(drawn(element)).toEqual([["Unknown"], "group"]);
    page.bff.end("declined");
    await pass(5000);
  });
});

describe("what a sign-in has connected", () => {
  it.each([
    ["ended", "idle", (): void => { page.bff.account.all.splice(0); }],
    ["lost its grant", "needs-reconnect", (): void => { for (const each of page.bff.account.all) each.state = "needs_reconnect"; }],
  ])("is not called connected any more once it has %s elsewhere", async (_, state, change) => {
    page.bff.states = { crm: "disconnected" };
    const element = await shown();
    main(element).click();
    await launch(page);
    page.bff.end("connected");
    page.bff.states = {};
    page.bff.account.add("crm");
    await pass(15_000);
    expect(element.getAttribute("state")).toBe("connected");
    change();
    await pass(60_000);
    dispatchEvent(new Event("focus"));
    await pass(5000);
    expect([element.getAttribute("state"), status(element)]).toEqual([state, ""]);
  });
});
