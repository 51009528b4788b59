// @vitest-environment happy-dom
// Reads of a status that hang, or are lost.
import { describe, expect, it, vi } from "vitest";
import { launch } from "./elements.js";
import { PARTNER_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();

describe("a flow whose user goes back to the opening page after an outage", () => {
  it("waits for the new attempt as long as for a first one", async () => {
    const flow = page.connect("crm");
    await launch(page);
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
    await pass(60_000);
    FakePopup.last.ready();
    await pass(10_000);
    expect(flow.outcome).toBeUndefined();
    vi.stubGlobal("fetch", page.bff.fetch);
    await pass(5000);
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_1", "lt_at_2"]);
    page.bff.end("connected");
    await pass(20_000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });
});

describe("a read that hangs", () => {
  /** Makes the first `count` reads hang for ever. */
  function hang(count: number): void {
    const real = page.bff.fetch;
    vi.stubGlobal("fetch", (input: string, init?: RequestInit) =>
      (init?.method === "GET" && input.includes("/attempts/") && count-- > 0 ? new Promise(() => undefined) : real(input, init)));
  }

  it("keeps no signal waiting", async () => {
    const flow = page.connect("crm");
    await launch(page);
    hang(1);
    await pass(1500);
    page.bff.end("connected");
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(0);
    expect(flow.outcome).toMatchObject({ status: "connected", channel: "message" });
  });

  it("is not waited for without a signal either", async () => {
    const flow = page.connect("crm");
    await launch(page);
    hang(2);
    await pass(1500);
    page.bff.end("connected");
    await pass(12_000);
    expect(flow.outcome).toMatchObject({ status: "connected", channel: "poll" });
  });
});

describe("a read that is lost", () => {
  it.each<[string, () => Response]>([
    ["gets no answer", () => { throw new TypeError("Failed to fetch"); }],
    ["is answered by a gateway", () => new Response("<html>Bad gateway", { status: 502 })],
  ])("ends nothing when it %s while another attempt begins in the same window", async (_, trouble) => {
    const flow = page.connect("crm");
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.last.status = "launched";
    const real = page.bff.fetch;
    vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
      if (input.endsWith("attempts")) await new Promise((resolve) => setTimeout(resolve, 3000));
      return real(input, init);
    });
    page.bff.troubles.push(trouble);
    window.dispatchEvent(new Event("focus"));
    await pass(0);
    FakePopup.last.ready(); // The user went back.
    await pass(2000);
    expect(flow.outcome).toBeUndefined();
    await pass(2000);
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_1", "lt_at_2"]);
    page.bff.end("connected");
    await pass(5000);
    expect(flow.outcome).toMatchObject({ status: "connected", attempt: "at_2" });
  });
});
