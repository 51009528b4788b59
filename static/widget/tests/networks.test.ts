// @vitest-environment happy-dom
// Bad networks: calls that are lost or hang, and popups whose page does not load.
import { describe, expect, it, vi } from "vitest";
import { add, launch, main, names, pick, status, useElements } from "./elements.js";
import { PARTNER_ORIGIN, problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { configure } from "../src/session.js";

const page = usePage();
const seen = useElements();

const lost = (): never => { throw new TypeError("Failed to fetch"); };
const begun = (): unknown[] => page.bff.asked("POST", "/attempts").map(({ headers }) => headers["Idempotency-Key"]);

/** Calls fail as `fate` says: before they reach the server, or after. */
function unreliable(fate: () => "" | "unheard" | "unanswered"): void {
  const real = page.bff.fetch;
  vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
    const what = fate();
    if (what === "unheard") lost();
    const answer = await real(input, init);
    return what ? lost() : answer;
  });
}

describe("A30 the call that begins a flow", () => {
  it.each<[string, () => Response]>([
    ["is lost", lost],
    ["is answered by a gateway", () => new Response("<html>Bad gateway", { status: 502 })],
    ["is answered by half a text", () => new Response('{"id":"at_')],
    ["is answered by a gateway in JSON", () => Response.json({ status: 503, error: "Service Unavailable" }, { status: 503 })],
    ["is answered by a gateway with an error of its own", () => Response.json({ error: { code: 502, message: "Bad gateway" } }, { status: 502 })],
  ])("is sent again when it %s, in the same click and by the same key", async (_, trouble) => {
    page.bff.troubles.push(trouble, trouble);
    const flow = page.connect("crm");
    await pass(2000);
    expect(FakePopup.last.closed).toBe(false);
    expect(begun()).toHaveLength(3);
    expect(new Set(begun()).size).toBe(1);
    FakePopup.last.ready();
    await pass(0);
    page.bff.end("connected");
    await pass(5000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });

  it("begins one attempt, though its answer was lost", async () => {
    let calls = 0;
    unreliable(() => (calls++ ? "" : "unanswered"));
    page.connect("crm");
    await pass(1000);
    expect(begun()).toHaveLength(2);
    expect(page.bff.attempts.size).toBe(1);
  });

  it("is not sent again when the BFF itself has refused it", async () => {
    page.bff.troubles.push(() => problem(403, "origin_not_allowed", "No"));
    const flow = page.connect("crm");
    await pass(5000);
    expect(begun()).toHaveLength(1);
    expect(flow.outcome).toMatchObject({ code: "invalid_request" });
  });

  it("has a key of its own for each press", async () => {
    page.connect("crm");
    page.connect("crm");
    await pass(0);
    expect(new Set(begun()).size).toBe(2);
  });

  it("is sent again when it hangs", async () => {
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation((wait) => {
      const over = new AbortController(); // `AbortSignal.timeout` of Node does not use the fake clock.
      setTimeout(() => { over.abort(); }, wait);
      return over.signal;
    });
    const real = page.bff.fetch;
    let hangs = true;
    vi.stubGlobal("fetch", (input: string, init?: RequestInit) => {
      if (!hangs) return real(input, init);
      hangs = false;
      return new Promise((_, reject) => init?.signal?.addEventListener("abort", () => { reject(new Error("timed out")); }));
    });
    page.connect("crm");
    FakePopup.last.ready();
    await pass(12_000);
    expect(FakePopup.last.posted).toHaveLength(1);
    timeout.mockRestore();
  });

  it("can be given up while it hangs", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    const stop = new AbortController();
    const flow = page.connect("crm", { signal: stop.signal });
    await pass(1000);
    stop.abort();
    await pass(1000);
    expect(flow.outcome).toMatchObject({ code: "cancelled" });
    expect(FakePopup.last.closed).toBe(true);
  });

  it("is not lost with the session, when that is what was lost", async () => {
    let asked = 0;
    configure({ session: () => (asked++ ? "tok" : lost()) });
    const flow = page.connect("crm");
    FakePopup.last.ready();
    await pass(600);
    expect(FakePopup.last.posted).toHaveLength(1);
    page.bff.end("connected");
    await pass(3000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
  });
});

describe("with 30 % of the calls lost, half of them after the work was done", () => {
  it.each(["connected", "declined", "failed"] as const)("every flow still ends %s", async (ending) => {
    let seed = 7;
    const dice = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    unreliable(() => (dice() > 0.3 ? "" : dice() > 0.5 ? "unheard" : "unanswered"));
    for (let flows = 0; flows < 40; flows++) {
      const flow = page.connect("crm");
      await pass(6000);
      FakePopup.last.ready();
      await pass(0);
      page.bff.end(ending, [...page.bff.attempts.values()].at(-1));
      FakePopup.last.say(FakePopup.last.posted.length && `done ${page.bff.last.id}`, PARTNER_ORIGIN);
      await pass(30_000);
      expect(flow.outcome).toMatchObject(ending === "connected" ? { status: ending } : { code: ending });
      expect(page.bff.attempts.size).toBe(flows + 1);
    }
  });
});

describe("a window whose page does not come", () => {
  const pressed = (): HTMLElement => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    return element;
  };

  it("is told of after seconds, with choices; and no more once the page has come", async () => {
    const element = pressed();
    await pass(7000);
    expect(names(element)).toEqual([]);
    await pass(2000);
    expect(status(element)).toBe("Not loading");
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    await launch(page);
    await pass(500);
    expect(names(element)).toEqual([]);
    expect(status(element)).toBe("Waiting");
    page.bff.end("connected");
    await pass(5000);
    expect(seen.connected).toHaveLength(1);
  });

  it("can be opened again, and the second goes through", async () => {
    const element = pressed();
    await pass(9000);
    pick(element, "Open again");
    await launch(page);
    expect(FakePopup.opened.map(({ closed }) => closed)).toEqual([true, false]);
    page.bff.end("connected");
    await pass(3000);
    expect(seen.connected).toMatchObject([{ attempt: "at_2" }]);
  });

  it("is one too when the launch was lost: the server knows of none", async () => {
    const element = pressed();
    await pass(0);
    FakePopup.last.ready();
    await pass(9000);
    expect(names(element)).toHaveLength(3);
    page.bff.last.status = "launched";
    await pass(10_000);
    expect(names(element)).toEqual([]);
    page.bff.end("declined");
    await pass(6000);
  });

  it("is none while the attempt takes long to begin: the page has come", async () => {
    const answered = globalThis.fetch;
    vi.stubGlobal("fetch", async (...request: Parameters<typeof fetch>) => {
      if (request[1]?.method === "POST") await new Promise((resolve) => setTimeout(resolve, 12_000));
      return answered(...request);
    });
    pressed();
    await pass(0);
    FakePopup.last.ready();
    await pass(11_000);
    expect(seen.steps).not.toContain("not_loading");
    await pass(2000);
    page.bff.end("connected");
    await pass(5000);
    expect(seen.connected).toHaveLength(1);
  });

  it("is none when the user takes long at the third party", async () => {
    const element = pressed();
    await launch(page);
    await pass(60_000);
    expect(seen.steps).not.toContain("not_loading");
    expect(names(element)).toEqual([]);
    page.bff.end("connected");
    await pass(14_000);
    expect(seen.connected).toHaveLength(1);
  });
});
