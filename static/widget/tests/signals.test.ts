// @vitest-environment happy-dom
// Each signal is only a reason to poll. Without any one of them every ending is still right, but may be reported later.
import { describe, expect, it, vi } from "vitest";
import { PARTNER_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const deleted = vi.hoisted(() => ({ poll: false }));

vi.mock("../src/signals.js", async (original) => {
  const { signals } = await original<typeof import("../src/signals.js")>();
  return {
    signals: () => {
      const { queueSignal, nextSignal } = signals();
      return { queueSignal, nextSignal: (ms: number) => nextSignal(deleted.poll ? 2 ** 31 - 1 : ms) };
    },
  };
});

const page = usePage();
const SIGNALS = ["none", "message", "closed", "focus", "poll"] as const;
type Signal = (typeof SIGNALS)[number];
const ENDINGS = ["connected", "declined", "failed", "expired", "closed before it was connected", "cancelled"] as const;

function windowCloses(without: Signal): void {
  if (without !== "closed") FakePopup.last.closed = true;
}

function userIsBack(without: Signal): void {
  page.focus = true;
  if (without !== "focus") dispatchEvent(new Event("focus"));
}

async function play(ending: (typeof ENDINGS)[number], without: Signal, over: AbortController): Promise<void> {
  if (ending === "cancelled") {
    windowCloses(without);
    await pass(3000);
    over.abort();
  } else if (ending === "closed before it was connected") {
    windowCloses(without);
    await pass(3000);
    page.bff.end("connected");
    userIsBack(without);
  } else {
    page.bff.end(ending);
    if (ending === "connected" && without !== "message") FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    windowCloses(without);
    userIsBack(without);
  }
}

describe.each(SIGNALS)("A29 without %s", (without) => {
  it.each(ENDINGS)("learns: %s", async (ending) => {
    deleted.poll = without === "poll";
    const over = new AbortController();
    const flow = page.connect("crm", { signal: over.signal });
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.last.status = "launched";
    await pass(12_000);
    expect(flow.outcome).toBeUndefined();
    await play(ending, without, over);
    await pass(6000);
    const expected = ending.includes("connected") ? { status: "connected" } : { code: ending };
    expect(flow.outcome).toMatchObject(expected);
    deleted.poll = false;
  });
});

describe("A29 a consent of two minutes", () => {
  it.each([["the window is open", false], ["the window is cut off from us", true]])("costs at most 30 requests while %s", async (_, cut) => {
    const flow = page.connect("crm");
    await pass(0);
    FakePopup.last.ready();
    await pass(0);
    page.bff.last.status = "launched";
    FakePopup.last.closed = cut;
    await pass(120_000);
    expect(flow.outcome).toBeUndefined();
    expect(page.bff.calls.length).toBeLessThanOrEqual(30);
    const before = page.bff.calls.length;
    await pass(5_000);
    expect(page.bff.calls.length).toBeGreaterThan(before);
  });
});
