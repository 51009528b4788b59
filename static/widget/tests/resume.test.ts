// @vitest-environment happy-dom
// An attempt that another page of this tab began is resumed, if it is this user's. Otherwise no event is fired.
import { describe, expect, it, vi } from "vitest";
import { configure } from "../src/session.js";
import { kit } from "../src/kit.js";
import { install as resumeWith } from "../src/resume.js";
import { add, launch, main, names, pick, status, useElements } from "./elements.js";
import { BASE, problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { leave, pass, remembered, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

const resume = (): void => { resumeWith(kit); };

/** Stores attempts that another page of this tab launched. */
async function left(...connectors: string[]): Promise<void> {
  for (const connector of connectors) {
    await page.bff.fetch(`${BASE}/v1/attempts`, { method: "POST", body: JSON.stringify({ connector }) });
    page.bff.last.status = "launched";
    leave(page.bff.last.id, connector);
  }
}

const offline = (): never => { throw new TypeError("offline"); };

describe("A30 flows that were left", () => {
  it("all go on, each is told to its element, and is forgotten", async () => {
    await left("crm", "erp");
    const [erp, crm] = ["erp", "crm"].map((connector) => add("hitchpost-connect", { connector })) as [HTMLElement, HTMLElement];
    resume();
    resume();
    await pass(0);
    expect([status(erp), status(crm)]).toEqual(["Waiting", "Waiting"]);
    expect(page.bff.reads).toHaveLength(2);
    for (const row of page.bff.attempts.values()) page.bff.end(row.connector === "crm" ? "connected" : "declined", row);
    await pass(5000);
    expect([status(crm), seen.connected.length, seen.failed.length]).toEqual(["Connected", 1, 1]);
    expect(status(erp)).toContain("declined");
    expect(remembered()).toEqual({});
  });

  it("are shown by elements that come later", async () => {
    await left("crm");
    resume();
    await pass(1000);
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    expect(status(element)).toBe("Waiting");
    page.bff.end("connected");
    await pass(5000);
    expect(status(element)).toBe("Connected");
  });

  it("tell the element that asks for the same message", async () => {
    await left("crm");
    leave("at_1", "crm second");
    const [one, two] = ["first", "second"].map((message) => add("hitchpost-connect", { connector: "crm", message })) as [HTMLElement, HTMLElement];
    resume();
    page.bff.end("connected");
    await pass(5000);
    expect([status(one), status(two)]).toEqual(["", "Connected"]);
  });

  it("open a window at the first press, whatever the BFF knows by then", async () => {
    for (const known of [true, false]) {
      await left("crm");
      if (!known) page.bff.attempts.delete(page.bff.last.id);
      const opened = FakePopup.opened.length;
      const element = add("hitchpost-connect", { connector: "crm" });
      resume();
      if (known) await pass(500);
      main(element).click();
      main(element).click();
      expect(FakePopup.opened).toHaveLength(opened + 1);
      await launch(page);
      page.bff.end("connected");
      await pass(5000);
      expect(status(element)).toBe("Connected");
      expect(seen.failed).toEqual([]);
      element.remove();
    }
  });

  it("go on through an outage", async () => {
    await left("crm");
    const element = add("hitchpost-connect", { connector: "crm" });
    page.bff.troubles.push(offline, () => problem(503, "partner_unavailable", ""));
    resume();
    await pass(600);
    expect(status(element)).toBe("");
    page.bff.end("connected");
    await pass(10_000);
    expect(status(element)).toBe("Connected");
  });

  it("stay stored when the BFF stays away: they may have connected", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    vi.stubGlobal("fetch", offline);
    await pass(20 * 60_000);
    expect(seen.failed).toMatchObject([{ code: "network" }]);
    page.bff.end("connected");
    vi.stubGlobal("fetch", page.bff.fetch);
    resume();
    await pass(5000);
    expect([status(element), remembered()]).toEqual(["Connected", {}]);
  });

  it("do not come back after the user has cancelled, even if the session ended before", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    FakePopup.last.closed = true;
    page.focus = true;
    await pass(3000);
    page.bff.refused.add("tok");
    pick(element, "Cancel");
    await pass(1000);
    expect([seen.failed.map(({ code }) => code), remembered()]).toEqual([["not_signed_in"], {}]);
    page.bff.refused.clear();
    resume();
    await pass(5000);
    expect(element.getAttribute("state")).toBe("idle");
  });

  it("offer a way on, once it is known that they run", async () => {
    await left("crm");
    const element = add("hitchpost-connect", { connector: "crm" });
    page.focus = true;
    resume();
    await pass(3000);
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    page.bff.end("connected");
    await pass(5000);
  });

  it("offer a way on as well where the first answer comes late", async () => {
    const answered = globalThis.fetch;
    await left("crm");
    vi.stubGlobal("fetch", async (...request: Parameters<typeof fetch>) => {
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return answered(...request);
    });
    page.focus = true;
    const element = add("hitchpost-connect", { connector: "crm" });
    resume();
    await pass(20_000);
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    page.bff.end("connected");
    await pass(20_000);
  });

  it("wait until the page has said where the BFF is", async () => {
    await left("crm");
    configure({ base: "" });
    kit.redraw();
    await pass(0);
    expect(page.bff.reads).toHaveLength(0);
    configure({ base: BASE });
    kit.redraw();
    page.bff.end("connected");
    await pass(0);
    expect(seen.connected).toHaveLength(1);
  });
});

describe("nobody hears of what nobody here began", () => {
  const said = (): unknown => [seen.steps, seen.connected, seen.failed];

  it.each<[string, () => void, boolean]>([
    ["an attempt of another user, or one that was purged", () => { leave("at_9", "crm"); }, true],
    ["an attempt of a user who is signed out now", () => {
      leave("at_1", "crm");
      page.bff.refused.add("tok");
    }, false],
    ["a connector that no longer is", () => { leave("at_9", ""); }, true],
    ["a value of the page's own", () => { sessionStorage.setItem("hitchpost", '{"id":"at_1","connector":"crm"}'); }, false],
    ["a value that is no JSON", () => { sessionStorage.setItem("hitchpost", "{"); }, false],
    ["a key of the page's own", () => { sessionStorage.setItem("hitchpost demo", "at_1"); }, false],
    ["a flow of another product", () => { sessionStorage.setItem("hitchpost other at_1", "crm"); }, false],
  ])("%s", async (_, put, forgotten) => {
    put();
    const element = add("hitchpost-connect", { connector: "crm" });
    const before = Object.keys(sessionStorage).length;
    resume();
    await pass(20_000);
    expect(said()).toEqual([[], [], []]);
    expect([status(element), main(element).ariaBusy, names(element)]).toEqual(["", "false", []]);
    expect(Object.keys(sessionStorage)).toHaveLength(before - Number(forgotten));
  });

  it("but who signs in again is told", async () => {
    await left("crm");
    page.bff.refused.add("tok");
    const element = add("hitchpost-connect", { connector: "crm" });
    resume();
    await pass(1000);
    configure({ session: () => "again" });
    resume();
    page.bff.end("connected");
    await pass(1000);
    expect(status(element)).toBe("Connected");
    expect(remembered()).toEqual({});
  });

  it.each([
    ["declined", "", 0],
    ["connected", "Connected", 1],
  ] as const)("of a sign-in of yesterday that is %s a page that is opened again shows %j", async (ending, shown, told) => {
    await left("crm");
    page.bff.end(ending);
    const [key = ""] = Object.keys(sessionStorage);
    sessionStorage.setItem(key, `crm   ${String(Date.now() - 86_400_000)}`);
    const element = add("hitchpost-connect", { connector: "crm" });
    resume();
    await pass(2000);
    expect([status(element), seen.failed.length, seen.connected.length]).toEqual([shown, 0, told]);
    expect(remembered()).toEqual({});
  });

  it("and who pressed in the meantime is", async () => {
    leave("at_9", "crm");
    const element = add("hitchpost-connect", { connector: "crm" });
    page.bff.troubles.push(offline);
    resume();
    main(element).click();
    await pass(600);
    await launch(page);
    page.bff.end("declined");
    await pass(5000);
    expect(seen.failed).toMatchObject([{ code: "declined", attempt: "at_1" }]);
  });
});
