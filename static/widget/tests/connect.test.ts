// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { BASE, PARTNER_ORIGIN, type Final } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage, type Watched } from "./page.js";

const page = usePage();

/** A flow that has been launched. */
async function launched(): Promise<Watched> {
  const flow = page.connect("crm");
  await pass(0);
  FakePopup.last.ready();
  await pass(0);
  page.bff.last.status = "launched";
  return flow;
}

describe("opening", () => {
  it("opens the popup inside the click, straight at the BFF's opening page, never in another flow's window", async () => {
    const flows = [page.connect("crm"), page.connect("crm")];
    expect(FakePopup.opened).toHaveLength(flows.length);
    const url = new URL(FakePopup.last.url);
    expect(url.origin + url.pathname).toBe(`${BASE}/connect/opening`);
    expect(Object.fromEntries(url.searchParams)).toEqual({ product: "demo", origin: location.origin, connector: "crm", locale: "" });
    // If a name were used twice, the second flow would load in the first one's window.
    expect(FakePopup.opened.map(({ name }) => name)).toEqual(["_blank", "_blank"]);
    await pass(0);
  });

  it("A30 rejects popup_blocked when the browser gives no window, and asks the BFF for nothing", async () => {
    FakePopup.refuse = true;
    const flow = page.connect("crm");
    await pass(0);
    expect(flow.outcome).toMatchObject({ name: "ConnectError", code: "popup_blocked" });
    expect(page.bff.calls).toHaveLength(0);
  });

  it("gives the launch token to the BFF's origin alone, once the opening page is ready", async () => {
    const flow = page.connect("crm");
    await pass(0);
    expect(FakePopup.last.posted).toHaveLength(0);
    FakePopup.last.ready();
    await pass(0);
    expect(FakePopup.last.posted).toEqual([
      { data: { type: "hitchpost.launch", token: "lt_at_1" }, target: "https://bff.example" },
    ]);
    expect(flow.outcome).toBeUndefined();
  });

  it("gives no launch token to a foreign origin or a foreign window that says it is ready", async () => {
    page.connect("crm");
    await pass(0);
    FakePopup.last.say({ type: "hitchpost.ready" }, "https://evil.example");
    FakePopup.last.say({ type: "hitchpost.ready" }, "https://bff.example.evil.example");
    FakePopup.last.say({ type: "hitchpost.ready" }, undefined, window);
    FakePopup.last.say({ type: "hitchpost.ready" }, undefined, null);
    await pass(100);
    expect(FakePopup.last.posted).toHaveLength(0);
  });

  it("begins anew in the same window when the user goes back to its first page", async () => {
    const flow = page.connect("crm");
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.last.status = "launched";
    FakePopup.last.ready();
    await pass(0);
    expect(page.bff.attempts.get("at_1")?.status).toBe("cancelled");
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_1", "lt_at_2"]);
    expect([FakePopup.opened.length, flow.outcome]).toEqual([1, undefined]);
  });

  it("launches nothing when the user goes back after the sign-in has ended", async () => {
    const steps: string[] = [];
    const flow = page.connect("crm", { onStep: (step) => { steps.push(step); } });
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.endsOnCancel = "connected";
    page.bff.last.status = "launched";
    FakePopup.last.ready();
    await pass(0);
    expect([flow.outcome, FakePopup.last.posted.length, steps]).toMatchObject([{ status: "connected", attempt: "at_1" }, 1, ["opening", "launched", "waiting"]]);
  });
});

describe("ending", () => {
  it("resolves with all that the server says, when the server says connected", async () => {
    const flow = await launched();
    page.bff.end("connected");
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(0);
    expect(flow.outcome).toEqual({
      status: "connected",
      attempt: "at_1",
      connector: "crm",
      connection: { id: "7", connector: "crm", external_account: "ada@crm" },
      message: "connected:crm",
      attributed: true,
      receipt: null,
      channel: "message",
      supportCode: "SC-at_1",
    });
  });

  it.each<Final>(["declined", "failed", "cancelled", "expired"])("rejects when the server says %s, in its words", async (status) => {
    const flow = await launched();
    page.bff.end(status);
    await pass(1000);
    expect(flow.outcome).toMatchObject({
      code: status,
      title: `Title of ${status}`,
      nextStep: `Next step of ${status}`,
      attempt: "at_1",
      supportCode: "SC-at_1",
    });
  });

  it("closes the popup and asks no more, however it ended", async () => {
    await launched();
    page.bff.end("declined");
    await pass(1000);
    const asked = page.bff.calls.length;
    expect(FakePopup.last.closed).toBe(true);
    dispatchEvent(new Event("focus"));
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(60_000);
    expect(page.bff.calls).toHaveLength(asked);
  });

  it("tells the document how it ended", async () => {
    const seen: unknown[] = [];
    document.addEventListener("hitchpost:connected", ({ detail }) => seen.push(detail), { once: true });
    const flow = await launched();
    page.bff.end("connected");
    await pass(1000);
    expect(seen).toEqual([flow.outcome]);
  });
});

describe("signals", () => {
  it("does not believe the callback message: only the server's word counts", async () => {
    const flow = await launched();
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(5000);
    expect(flow.outcome).toBeUndefined();
    expect(page.bff.reads[0]?.headers).toMatchObject({ "X-Hitchpost": "message" });
  });

  it("looks at one address, whatever the signal, so that the browser asks for leave only once", async () => {
    await launched();
    await pass(1000);
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(0);
    const [first, second] = page.bff.reads;
    expect([first, second].map((look) => look?.headers["X-Hitchpost"])).toEqual(["1", "message"]);
    expect([second?.path, second?.query]).toEqual([first?.path, ""]);
    expect(Object.keys(second?.headers ?? {})).toEqual(Object.keys(first?.headers ?? {}));
    page.bff.end("connected");
    await pass(5000);
  });

  it.each([
    ["from a foreign origin", "done at_1", "https://evil.example", undefined],
    ["from a foreign window", "done at_1", PARTNER_ORIGIN, window],
    ["with another text", "done at_2", PARTNER_ORIGIN, undefined],
    ["that is an object around the text", { data: "done at_1" }, PARTNER_ORIGIN, undefined],
  ])("ignores a message %s", async (_, data, origin, source) => {
    await launched();
    FakePopup.last.say(data, origin, source ?? FakePopup.last);
    await pass(0);
    expect(page.bff.reads).toHaveLength(0);
  });

  it("A29 never takes a closed window for an ending", async () => {
    const flow = await launched();
    FakePopup.last.closed = true;
    await pass(120_000);
    expect(flow.outcome).toBeUndefined();
    expect(page.bff.reads.some(({ headers }) => headers["X-Hitchpost"] === "closed")).toBe(true);
    page.bff.end("connected");
    await pass(5000);
    expect(flow.outcome).toMatchObject({ status: "connected", channel: "poll" });
  });

  it.each([
    ["focus", () => dispatchEvent(new Event("focus")), "focus"],
    ["online", () => dispatchEvent(new Event("online")), "focus"],
    ["pageshow", () => dispatchEvent(new Event("pageshow")), "focus"],
    ["visibilitychange", () => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })), "focus"],
    ["the return page", () => { FakePopup.last.say({ type: "hitchpost.returned" }); }, "returned"],
    ["a page of trouble", () => { FakePopup.last.say({ type: "hitchpost.trouble" }); }, "trouble"],
    ["trouble at the partner service", () => { FakePopup.last.say({ type: "hitchpost.trouble" }, PARTNER_ORIGIN); }, "trouble"],
  ])("reads at once after %s", async (_, act, channel) => {
    const flow = await launched();
    page.bff.end("connected");
    act();
    await pass(0);
    expect(flow.outcome).toMatchObject({ channel });
  });

  it("says unsure only when the window seems gone and the user is here, and waits on", async () => {
    const steps: string[] = [];
    const flow = page.connect("crm", { onStep: (step) => steps.push(step) });
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.last.status = "launched";
    FakePopup.last.closed = true;
    await pass(10_000);
    expect(steps).not.toContain("unsure");
    page.focus = true;
    await pass(3000);
    expect(steps.at(-1)).toBe("unsure");
    page.focus = false;
    await pass(500);
    expect(steps.at(-1)).toBe("waiting");
    page.bff.end("connected");
    await pass(5000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it("says that a window is cut off when it seems gone from its first page on, and leaves it at that", async () => {
    const steps: string[] = [];
    page.connect("crm", { onStep: (step) => steps.push(step) });
    FakePopup.last.closed = true;
    await pass(10_000);
    page.focus = true;
    await pass(10_000);
    expect(steps).toEqual(["opening", "cut_off"]);
  });
});
