// @vitest-environment happy-dom
// A page that comes back in mid-flow, and on which the user begins again, or the popup of the page before says its message.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { kit } from "../src/kit.js";
import { install as resume } from "../src/resume.js";
import { api } from "../src/start.js";
import { add, launch, main, names, status, useElements } from "./elements.js";
import { BASE, PARTNER_ORIGIN, problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { leave, pass, remembered, usePage, watching } from "./page.js";

const page = usePage();
const seen = useElements();

beforeEach(() => { vi.stubGlobal("Hitchpost", api); });

/** Stores an attempt that an earlier page of this tab launched. */
async function left(connector = "crm"): Promise<void> {
  await page.bff.fetch(`${BASE}/v1/attempts`, { method: "POST", body: JSON.stringify({ connector }) });
  page.bff.last.status = "launched";
  leave(page.bff.last.id, connector);
}

describe("A30 a call of connect after a reload in mid-flow", () => {
  it("goes on with the flow that no button shows: one ending is told, and nothing expires later", async () => {
    await left();
    resume(kit);
    await pass(1000);
    const steps: string[] = [];
    const flow = watching(api.connect("crm", { onStep: (step) => steps.push(step) }));
    await launch(page);
    expect([page.bff.attempts.get("at_1")?.status, FakePopup.opened.length, steps.at(-1)]).toEqual(["cancelled", 1, "waiting"]);
    page.bff.end("connected");
    await pass(20 * 60_000);
    expect(flow.outcome).toMatchObject({ status: "connected", attempt: "at_2" });
    expect([seen.connected.length, seen.failed, remembered()]).toEqual([1, [], {}]);
  });

  it.each([["before", 0], ["after", 2000]])("is cancelled by its signal, aborted %s its window has opened", async (_, later) => {
    await left();
    resume(kit);
    await pass(1000);
    const caller = new AbortController();
    const flow = watching(api.connect("crm", { signal: caller.signal }));
    await pass(later);
    caller.abort();
    await pass(3000);
    expect(flow.outcome).toMatchObject({ code: "cancelled" });
    expect([FakePopup.last.closed, page.bff.last.status, remembered()]).toEqual([true, "cancelled", {}]);
  });

  it("with a signal that is aborted already leaves the flow alone", async () => {
    await left();
    resume(kit);
    await pass(1000);
    const flow = watching(api.connect("crm", { signal: AbortSignal.abort() }));
    await pass(1000);
    expect([flow.outcome, page.bff.last.status]).toMatchObject([{ code: "cancelled" }, "launched"]);
    page.bff.end("declined");
    await pass(20_000);
  });

  it("is cancelled by its signal if it has joined a sign-in that a button began", async () => {
    await left();
    const element = add("hitchpost-connect", { connector: "crm" });
    resume(kit);
    await pass(1000);
    main(element).click();
    await launch(page);
    element.remove();
    const caller = new AbortController();
    const flow = watching(api.connect("crm", { signal: caller.signal }));
    await pass(1000);
    caller.abort();
    await pass(3000);
    expect([flow.outcome, FakePopup.last.closed]).toMatchObject([{ code: "cancelled" }, true]);
  });

  it("does not come back after its signal was aborted, even if the session ended before", async () => {
    const caller = new AbortController();
    const flow = watching(api.connect("crm", { signal: caller.signal }));
    await launch(page);
    page.bff.refused.add("tok");
    caller.abort();
    await pass(3000);
    expect(flow.outcome).toMatchObject({ code: "not_signed_in" });
    expect(remembered()).toEqual({});
    page.bff.refused.clear();
  });

  it("is told if the sign-in of the page before has connected in the meantime", async () => {
    await left();
    resume(kit);
    await pass(1000);
    page.bff.endsOnCancel = "connected";
    const flow = watching(api.connect("crm"));
    await pass(1000);
    expect(flow.outcome).toMatchObject({ status: "connected", attempt: "at_1" });
    expect([FakePopup.last.closed, seen.connected.length]).toEqual([true, 1]);
  });

  it.each([["of another connector", "erp", undefined], ["for another connection", "crm", "7"]])("%s leaves it alone", async (_, connector, connection) => {
    await left();
    resume(kit);
    await pass(1000);
    const flow = watching(api.connect(connector, { connection }));
    await launch(page);
    page.bff.end("connected");
    await pass(5000);
    expect([flow.outcome, page.bff.attempts.get("at_1")?.status]).toMatchObject([{ attempt: "at_2" }, "launched"]);
    page.bff.end("declined", page.bff.attempts.get("at_1"));
    await pass(20_000);
  });

  it("leaves it to the element that shows it", async () => {
    await left();
    const element = add("hitchpost-connect", { connector: "crm" });
    resume(kit);
    await pass(1000);
    watching(api.connect("crm"));
    await launch(page);
    expect([status(element), page.bff.attempts.get("at_1")?.status]).toEqual(["Waiting", "launched"]);
    for (const row of page.bff.attempts.values()) page.bff.end("connected", row);
    await pass(20_000);
    expect(seen.connected.map(({ attempt }) => attempt).sort()).toEqual(["at_1", "at_2"]);
  });
});

describe("A30 an attempt of the page before, if the user has pressed again before it could go on", () => {
  async function pressed(): Promise<HTMLElement> {
    await left();
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    resume(kit);
    return element;
  }

  it("is cancelled in silence, and the element shows the new one", async () => {
    page.focus = true;
    const element = await pressed();
    await pass(5000);
    expect([page.bff.attempts.get("at_1")?.status, status(element), names(element)]).toEqual(["cancelled", "Waiting", []]);
    expect([seen.failed, Object.keys(remembered())]).toEqual([[], ["at_2"]]);
    page.bff.end("connected");
    await pass(15_000);
    expect([status(element), remembered()]).toEqual(["Connected", {}]);
  });

  it("is told if it has connected", async () => {
    page.bff.endsOnCancel = "connected";
    const element = await pressed();
    await pass(1000);
    expect(seen.connected).toMatchObject([{ attempt: "at_1" }]);
    page.bff.end("connected");
    await pass(5000);
    expect([status(element), remembered()]).toEqual(["Connected", {}]);
  });

  it("is forgotten if it is another user's", async () => {
    vi.stubGlobal("fetch", async (url: string, init?: RequestInit) => (url.endsWith("at_1/cancel") ? problem(404, "invalid_request", "There is nothing here") : page.bff.fetch(url, init)));
    await pressed();
    await pass(1000);
    expect(Object.keys(remembered())).toEqual(["at_2"]);
    page.bff.end("connected");
    await pass(15_000);
  });

  it("goes on if another button can show it", async () => {
    const other = add("hitchpost-connect", { connector: "crm" });
    await pressed();
    await pass(1000);
    expect([page.bff.attempts.get("at_1")?.status, status(other)]).toEqual(["launched", "Waiting"]);
    for (const row of page.bff.attempts.values()) page.bff.end("connected", row);
    await pass(20_000);
  });
});

describe("a plain callback message after a reload in mid-flow", () => {
  /** The plain messages that the page's own listener hears. */
  async function heard(act: () => void): Promise<unknown[]> {
    const messages: unknown[] = [];
    const listen = ({ data, origin }: MessageEvent<unknown>): void => { messages.push([data, origin]); };
    addEventListener("message", listen);
    page.bff.says.message = "done at_1";
    await left();
    resume(kit);
    await pass(500);
    act();
    page.bff.end("connected");
    await pass(20_000);
    removeEventListener("message", listen);
    return messages;
  }
  const message = ["done at_1", PARTNER_ORIGIN];

  it("is heard once if the popup of the page before posts it", async () => {
    const popup = new FakePopup("", "");
    expect(await heard(() => { popup.say("done at_1", PARTNER_ORIGIN); })).toEqual([message]);
  });

  it("is heard from the widget for each of two flows that have the same", async () => {
    await left("erp");
    Object.assign(page.bff.says, { unsent: { data: "done", origin: PARTNER_ORIGIN } });
    expect(await heard(() => { page.bff.end("connected", page.bff.attempts.get("at_1")); })).toEqual(Array(2).fill(["done", PARTNER_ORIGIN]));
  });

  it("is heard from the widget if nobody posts it", async () => {
    expect(await heard(() => undefined)).toEqual([message]);
  });

  it.each([["another origin", "done at_1", "https://evil.example"], ["another text", "done", PARTNER_ORIGIN]])("is heard from the widget though %s has posted", async (_, text, origin) => {
    const popup = new FakePopup("", "");
    expect(await heard(() => { popup.say(text, origin); })).toEqual([[text, origin], message]);
  });
});
