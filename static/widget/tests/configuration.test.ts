// @vitest-environment happy-dom
// Which answer about the product's connectors counts, and how little one element's fault touches the others.
import { describe, expect, it, vi } from "vitest";
import { add, part, shown, status, useElements } from "./elements.js";
import { pass, usePage } from "./page.js";
import { loadConfig, redraw, refresh, subscribers, wordOf } from "../src/config.js";
import { connectorOf } from "../src/connector.js";
import { kit } from "../src/kit.js";
import { configure, settings } from "../src/session.js";
import { api } from "../src/start.js";

const page = usePage();
useElements();

const crm = { connector: "crm" };
const config = (name: string): Response => Response.json({ connectors: [{ key: "crm", name }], words: {} });

/** Holds every call from now on. Each one's function answers it. */
function held(): ((answer: Response) => void)[] {
  const calls: ((answer: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => calls.push(resolve)));
  return calls;
}

describe("the configuration of a user who has left", () => {
  it("changes nothing when it comes late", async () => {
    const calls = held();
    void loadConfig();
    await pass(0);
    api.configure({ session: () => "next" });
    void loadConfig();
    await pass(0);
    calls[1]?.(config("next user's"));
    await pass(0);
    calls[0]?.(config("last user's"));
    await pass(0);
    expect([calls.length, connectorOf(kit, crm)?.name]).toEqual([2, "next user's"]);
  });

  it("is shown by no element, though the next one's has not come", async () => {
    page.bff.account.add("crm", { external_account: "ada@crm.example" });
    const answered = globalThis.fetch;
    let arrive = (): void => undefined;
    vi.stubGlobal("fetch", async (...request: Parameters<typeof fetch>) => {
      const answer = await answered(...request);
      await new Promise<void>((resolve) => { arrive = resolve; });
      return answer;
    });
    const element = add("hitchpost-connect", crm);
    await pass(0);
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    api.configure({ session: () => "next" });
    arrive();
    await pass(500);
    expect([element.getAttribute("state"), status(element)]).toEqual(["idle", ""]);
  });
});

describe("the configuration of one user", () => {
  /** It is asked for, and once more before the answer. Returns the functions that answer. */
  async function askedTwice(): Promise<((answer: Response) => void)[]> {
    const calls = held();
    void loadConfig();
    await pass(0);
    refresh();
    void loadConfig();
    await pass(0);
    return calls;
  }

  it("is the one that was asked for last, though an earlier answer comes later", async () => {
    const calls = await askedTwice();
    calls[1]?.(config("new"));
    await pass(0);
    calls[0]?.(config("old"));
    await pass(0);
    expect([calls.length, connectorOf(kit, crm)?.name]).toEqual([2, "new"]);
  });

  it("stands though an earlier call fails after it was answered", async () => {
    const calls = await askedTwice();
    calls[1]?.(config("new"));
    await pass(0);
    calls[0]?.(Response.json({ error: { code: "origin_not_allowed" } }, { status: 403 }));
    await pass(0);
    void loadConfig();
    await pass(0);
    expect([calls.length, connectorOf(kit, crm)?.name]).toEqual([2, "new"]);
  });

  it("counts though an earlier call has failed meanwhile", async () => {
    const calls = await askedTwice();
    calls[0]?.(Response.json({ error: { code: "partner_unavailable" } }, { status: 503 }));
    await pass(0);
    calls[1]?.(config("new"));
    await pass(0);
    expect(connectorOf(kit, crm)?.name).toBe("new");
  });

  it("is asked for once a minute while it is refused, however often it was asked for before", async () => {
    await shown();
    const refuse = vi.fn(() => Promise.resolve(Response.json({ error: { code: "partner_unavailable", title: "Later" } }, { status: 503 })));
    vi.stubGlobal("fetch", refuse);
    for (let times = 0; times < 4; times++) {
      refresh();
      await pass(2000);
    }
    refuse.mockClear();
    await pass(60_000);
    expect(refuse).toHaveBeenCalledOnce();
  });

  it("is not asked for a third time because an earlier call fails while the next one runs", async () => {
    const calls = await askedTwice();
    calls[0]?.(Response.json({ error: { code: "origin_not_allowed", title: "No" } }, { status: 403 }));
    await pass(0);
    void loadConfig();
    await pass(0);
    expect(calls).toHaveLength(2);
  });

  it("is asked for again by itself after an outage", async () => {
    page.bff.account.add("crm");
    page.bff.configured = false;
    const element = await shown();
    await pass(20_000);
    page.bff.configured = true;
    expect(element.getAttribute("state")).toBe("idle");
    await pass(61_000);
    expect(element.getAttribute("state")).toBe("connected");
  });

  it("leaves no text of an earlier one, such as another user's account in it", async () => {
    page.bff.words = { "crm connected": "Connected as ada@crm.example" };
    await loadConfig();
    page.bff.words = {};
    refresh();
    await loadConfig();
    expect(wordOf(crm, "connected")).toBe("Connected");
  });

  it("is shown no longer after a sign-out", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    page.bff.refused.add("tok");
    dispatchEvent(new Event("focus"));
    await pass(500);
    expect([element.getAttribute("state"), element.shadowRoot?.textContent]).not.toContain("ada@crm.example");
    expect(element.getAttribute("state")).toBe("idle");
  });
});

it("that was shown is not the next user's, while the next one's has not come", async () => {
  page.bff.account.add("crm");
  const element = await shown();
  expect(element.getAttribute("state")).toBe("connected");
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  api.configure({ session: () => "next" });
  await pass(0);
  expect(element.getAttribute("state")).toBe("idle");
});

it("does not replace a delivery that the page has configured", async () => {
  page.bff.delivery = "message";
  configure({ delivery: "return" });
  await loadConfig();
  expect(settings.delivery).toBe("return");
  configure({ delivery: undefined });
});

it("holds the texts of each language apart", async () => {
  vi.stubGlobal("fetch", (url: string) => Promise.resolve(config(url.endsWith("=de") ? "Kunden" : "Customers")));
  await loadConfig("en");
  await loadConfig("de");
  expect([connectorOf(kit, { ...crm, locale: "en" })?.name, connectorOf(kit, { ...crm, locale: "de" })?.name]).toEqual(["Customers", "Kunden"]);
});

describe("an element draws its card", () => {
  it.each(["https://cdn.example/crm.svg", "/logos/crm.svg", "http://[bad"])("with the logo %s, where the base is relative", async (logo) => {
    page.bff.account.add("crm");
    page.bff.account.offers.crm = { logo };
    const element = await shown();
    settings.base = "/prefix";
    redraw();
    await pass(0);
    expect(part(element, "head").querySelector("img")?.getAttribute("src")).toBe(logo);
  });

  it("without its logo if the page's CSP blocks it", async () => {
    page.bff.account.add("crm");
    page.bff.account.offers.crm = { logo: "https://cdn.example/crm.svg" };
    const logo = part(await shown(), "head").querySelector("img");
    logo?.dispatchEvent(new Event("error"));
    expect(logo?.hidden).toBe(true);
  });

  it("again whichever of its texts has changed, and only then", async () => {
    page.bff.account.add("crm", { connected_by_name: "Ada" });
    const element = await shown();
    const drawn = part(element, "who");
    refresh();
    await pass(500);
    expect(part(element, "who")).toBe(drawn);
    page.bff.words = { since_by: "seit {date}, von {name}" };
    refresh();
    await pass(500);
    expect(part(element, "who").textContent).toContain("von Ada");
  });

  it.each(["zh-cmn", "art-lojban", "de-abcdefgh-abcdefgh", "_"])("with texts in the language %s, which the browser may not know", async (lang) => {
    page.bff.account.add("crm");
    page.bff.words = { lang, since: "on {date}" };
    const element = await shown();
    expect(part(element, "who").textContent).toContain("2030");
  });
});

it("draws the other elements when one cannot be drawn", async () => {
  const draw = vi.fn();
  const broken = (): never => { throw new Error("one element's fault"); };
  const uncaught = vi.fn();
  process.once("uncaughtException", uncaught); // As in browsers, it is reported as the page's own.
  subscribers.add(broken).add(draw);
  redraw();
  await pass(0);
  subscribers.delete(broken);
  subscribers.delete(draw);
  expect(draw).toHaveBeenCalledOnce();
});
