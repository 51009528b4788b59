// @vitest-environment happy-dom
// The attempt takes long to begin, and the user does something meanwhile.
import { describe, expect, it, vi } from "vitest";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();

describe("an attempt that takes long to begin", () => {
  it("is waited for half a minute, however many signals come meanwhile", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    const flow = page.connect("crm");
    for (let signals = 0; signals < 40; signals++) {
      dispatchEvent(new Event("online"));
      await pass(10);
    }
    expect(flow.outcome).toBeUndefined();
    await pass(32_000);
    expect(flow.outcome).toMatchObject({ code: "network" });
  });

  it("launches nothing when it comes after the user has cancelled", async () => {
    let answer: () => void = () => undefined;
    const real = page.bff.fetch;
    vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
      if (init?.method === "POST" && input.endsWith("/attempts")) await new Promise<void>((resolve) => { answer = resolve; });
      return real(input, init);
    });
    const stop = new AbortController();
    const flow = page.connect("crm", { signal: stop.signal });
    await pass(0);
    FakePopup.last.ready();
    stop.abort();
    await pass(100);
    answer();
    await pass(5000);
    expect(flow.outcome).toMatchObject({ code: "cancelled" });
    expect(FakePopup.last.posted).toHaveLength(0);
  });
});
