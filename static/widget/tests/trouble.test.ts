// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { problem } from "./fake-bff.js";
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

describe("A30 cancelling", () => {
  it("cancels at the BFF when the caller aborts", async () => {
    const stop = new AbortController();
    const flow = page.connect("crm", { signal: stop.signal });
    await pass(0);
    stop.abort();
    await pass(0);
    expect(page.bff.asked("POST", "/cancel")).toHaveLength(1);
    expect(flow.outcome).toMatchObject({ code: "cancelled" });
  });

  it("opens nothing and begins nothing when it was aborted before", async () => {
    const flow = page.connect("crm", { signal: AbortSignal.abort() });
    await pass(0);
    expect(flow.outcome).toMatchObject({ code: "cancelled" });
    expect([FakePopup.opened, page.bff.calls]).toEqual([[], []]);
  });

  it("ends as cancelled though the BFF cannot be reached, and closes its window", async () => {
    const abort = new AbortController();
    const flow = page.connect("crm", { signal: abort.signal });
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    abort.abort();
    await pass(36_000);
    expect([flow.outcome, FakePopup.last.closed]).toMatchObject([{ code: "cancelled" }, true]);
  });

  it("tells of the connection that stands when the cancel came too late", async () => {
    page.bff.endsOnCancel = "connected";
    const abort = new AbortController();
    const flow = page.connect("crm", { signal: abort.signal });
    await pass(0);
    abort.abort();
    await pass(0);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });
});

describe("trouble on the way", () => {
  const offline = (): Response => { throw new TypeError("Failed to fetch"); };

  it("keeps asking through an outage and a failing server", async () => {
    const flow = await launched();
    page.bff.troubles.push(offline, () => problem(503, "partner_unavailable", ""), () => new Response("<html>", { status: 502 }), () => new Response("<html>"));
    page.bff.end("connected");
    await pass(20_000);
    expect(page.bff.troubles).toHaveLength(0);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it("goes on asking, ever more slowly, while the server has too much to do", async () => {
    const flow = await launched();
    page.bff.troubles.push(...Array<() => Response>(4).fill(() => problem(429, "rate_limited", "")));
    page.bff.end("connected");
    await pass(24_000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
    expect(page.bff.reads).toHaveLength(5);
  });

  it("takes an attempt that failed for want of the partner service as ended, not as trouble on the way", async () => {
    const flow = await launched();
    Object.assign(page.bff.last, { status: "failed", code: "partner_unavailable" });
    await pass(2000);
    expect(flow.outcome).toMatchObject({ code: "partner_unavailable", attempt: "at_1" });
  });

  it("A29 settles even when the server never answers again", async () => {
    const flow = await launched();
    page.bff.troubles.push(...Array<() => Response>(1000).fill(offline));
    await pass(14 * 60_000);
    expect(flow.outcome).toBeUndefined();
    await pass(2 * 60_000);
    expect(flow.outcome).toMatchObject({ code: "network", attempt: "at_1" });
  });

  it("A29 settles no sooner when its calls hang, though one waits for another", async () => {
    const flow = await launched();
    page.focus = true;
    await pass(3000);
    vi.stubGlobal("fetch", () => new Promise((_, reject) => setTimeout(reject, 10_000, new TypeError("timed out"))));
    await pass(13 * 60_000);
    expect(flow.outcome).toBeUndefined();
    await pass(20 * 60_000); // The time of the calls comes on top.
    expect(flow.outcome).toMatchObject({ code: "network", attempt: "at_1" });
  });

  it.each([-1, 1, 24])("asks how the sign-in ended when the machine slept, or its clock was set, %i hours", async (hours) => {
    const flow = await launched();
    await pass(3000);
    page.bff.end("connected");
    page.bff.troubles.push(offline, offline); // The network comes back a little later than the page.
    vi.setSystemTime(Date.now() + hours * 3_600_000);
    FakePopup.last.say({ type: "hitchpost.returned" });
    await pass(10_000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it.each([
    ["network", offline],
    ["partner_unavailable", () => problem(503, "partner_unavailable", "Down")],
    ["partner_unavailable", () => new Response("<html>", { status: 502 })],
    ["connector_unavailable", () => problem(502, "connector_unavailable", "Down")],
    ["connector_unavailable", () => problem(422, "unknown_connector", "No such")],
    ["invalid_request", () => problem(422, "unknown_message", "No such")],
    ["invalid_request", () => problem(403, "origin_not_allowed", "No")],
    ["not_signed_in", () => problem(401, "not_signed_in", "Out")],
  ])("rejects %s when no attempt can be had for that reason, and closes the popup", async (code, trouble) => {
    page.bff.troubles.push(...Array<() => Response>(50).fill(trouble));
    const flow = page.connect("crm");
    await pass(16_000);
    expect(flow.outcome).toMatchObject({ code });
    expect(FakePopup.last.closed).toBe(true);
  });

  it("shows the server's words for a refusal", async () => {
    const flow = page.connect("unknown");
    await pass(600);
    expect(flow.outcome).toMatchObject({ title: "No such connector", nextStep: "Do this." });
  });

  it("rejects invalid_request when the attempt is not this user's", async () => {
    const flow = await launched();
    page.bff.attempts.clear();
    await pass(1000);
    expect(flow.outcome).toMatchObject({ code: "invalid_request" });
  });
});
