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

/** A source of messages that is not the popup: a frame of the host page, or another window. */
const stranger = {};

describe("A27 a forged message", () => {
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

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function numbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What frames, sibling windows and older attempts may post. Only the first two are genuine. */
const TEXTS: unknown[] = [
  "done at_1", { type: "hitchpost.ready" }, { type: "hitchpost.returned" }, { type: "hitchpost.trouble" },
  "done at_0", "done at_2", "done", "DONE AT_1", "done at_1\u0000", " done at_1", ["done at_1"], { data: "done at_1" },
  { toString: () => "done at_1" }, new String("done at_1"), { type: ["hitchpost.ready"] }, { type: "hitchpost.ready " },
  { type: "hitchpost.launch", token: "lt_at_1" }, { type: "hitchpost.cancel" }, { type: "__proto__" }, { type: "hitchpost.__proto__" },
  { __proto__: { type: "hitchpost.ready" } }, null, undefined, "", 0, NaN, true, Symbol.iterator, [], {}, "x".repeat(100_000),
  JSON.stringify({ type: "hitchpost.callback", attempt: "at_1", nonce: "n", message: "done at_1" }),
];
const ORIGINS = [
  PARTNER_ORIGIN, BFF_ORIGIN, "https://evil.example", "null", "", "*", `${PARTNER_ORIGIN}.evil.example`, `${PARTNER_ORIGIN}:443`, `${PARTNER_ORIGIN}/`,
  PARTNER_ORIGIN.toUpperCase(), PARTNER_ORIGIN.replace("https", "http"), `https://evil.example/${PARTNER_ORIGIN}`, `${BFF_ORIGIN}@evil.example`,
];

describe("A27 any message that is not all three at once", () => {
  it.each([1, 2, 3, 4, 5, 6])("(origin, window, text) tells nothing, whatever its parts: 1000 of seed %i", async (seed) => {
    const random = numbers(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
    const [flow, steps] = await launched();
    const popup = FakePopup.last;
    const [before, handed] = [[...steps], popup.posted.length];
    for (let round = 0; round < 1000; round++) {
      const [data, origin, window] = [pick(TEXTS), pick(ORIGINS), pick([popup, stranger, null, undefined, globalThis, Object.assign({}, popup)])];
      const page = typeof data === "object" && /ready|returned|trouble/.test((data as { type?: string } | null)?.type ?? "");
      // Skip only the genuine messages: the partner service's text, and the messages of its own and the BFF's pages.
      if (window === popup && ((data === TEXTS[0] && origin === PARTNER_ORIGIN) || (page && [BFF_ORIGIN, PARTNER_ORIGIN].includes(origin)))) continue;
      popup.say(data, origin, window === undefined ? null : window);
    }
    await pass(900);
    expect([page.bff.reads.length, popup.posted.length]).toEqual([0, handed]);
    expect(steps).toEqual(before);
    expect(flow.outcome).toBeUndefined();
  });

  it("is left for the true one, which is heard at once after all of them", async () => {
    const [flow] = await launched();
    for (const data of TEXTS.slice(4)) FakePopup.last.say(data, PARTNER_ORIGIN);
    page.bff.end("connected");
    FakePopup.last.say(TEXTS[0], PARTNER_ORIGIN);
    await pass(0);
    expect(flow.outcome).toMatchObject({ status: "connected", channel: "message" });
  });
});
