// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { BFF_ORIGIN, PARTNER_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage, type Watched } from "./page.js";

const page = usePage();

async function launched(): Promise<[Watched, string[]]> {
  const steps: string[] = [];
  const flow = page.connect("crm", { onStep: (step) => steps.push(step) });
  await pass(0);
  FakePopup.last.ready();
  await pass(0);
  page.bff.last.status = "launched";
  return [flow, steps];
}

/** A frame of the host page, or another window: not the popup. */
const stranger = {};

describe("a forged message", () => {
  it.each<[string, unknown, string, unknown]>([
    ["with the right text, from a wrong origin", "done at_1", "https://evil.example", undefined],
    ["with the right text, from an origin that begins like the partner's", "done at_1", `${PARTNER_ORIGIN}.evil.example`, undefined],
    ["with the right text, from the host page's own origin", "done at_1", location.origin, undefined],
    ["with the right text, from the BFF's origin", "done at_1", BFF_ORIGIN, undefined],
    ["with the right text and origin, from a wrong window", "done at_1", PARTNER_ORIGIN, stranger],
    ["with the right text and origin, from no window", "done at_1", PARTNER_ORIGIN, null],
    ["with a guessed text", "done", PARTNER_ORIGIN, undefined],
    ["with a text around the right one", " done at_1", PARTNER_ORIGIN, undefined],
    ["with nothing", undefined, PARTNER_ORIGIN, undefined],
    ["with null", null, PARTNER_ORIGIN, undefined],
    ["that claims the return page, from a wrong window", { type: "hitchpost.returned" }, BFF_ORIGIN, stranger],
    ["that claims a signal that pages do not have", { type: "hitchpost.cancel" }, BFF_ORIGIN, undefined],
    ["that hides a page's word in a longer one", { type: "x hitchpost.returned" }, BFF_ORIGIN, undefined],
    ["whose type is no text", { type: null }, BFF_ORIGIN, undefined],
  ])("%s tells nothing and causes no read", async (_, data, origin, source) => {
    const [flow, steps] = await launched();
    const before = [...steps];
    FakePopup.last.say(data, origin, source === undefined ? FakePopup.last : source);
    await pass(900);
    expect([page.bff.reads.length, page.bff.asked("POST", "/cancel").length]).toEqual([0, 0]);
    expect(steps).toEqual(before);
    expect(flow.outcome).toBeUndefined();
  });

  it("that replays an older attempt's tells nothing, from the old window or the new one", async () => {
    const [first] = await launched();
    page.bff.end("declined");
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(0);
    expect(first.outcome).toMatchObject({ code: "declined" });
    const old = FakePopup.last;
    const [second, steps] = await launched();
    const asked = page.bff.reads.length;
    old.say("done at_1", PARTNER_ORIGIN);
    old.say("done at_2", PARTNER_ORIGIN);
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(900);
    expect(page.bff.reads).toHaveLength(asked);
    expect(steps).not.toContain("finishing");
    expect(second.outcome).toBeUndefined();
  });

  it("is nothing before the launch either: no attempt expects any text yet", async () => {
    page.connect("crm");
    await pass(0);
    FakePopup.last.say(undefined, PARTNER_ORIGIN);
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    FakePopup.last.say(undefined, undefined);
    await pass(900);
    expect(page.bff.reads).toHaveLength(0);
  });
});
