// @vitest-environment happy-dom
// Odd pages. However a page has replaced its globals, a press of Connect ends with a code, a title and a next step, and leaves no
// timer, no listener and no uncaught error.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { add, launch, main, pick, status, useElements } from "./elements.js";
import { BASE } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { ConnectError } from "../src/errors.js";
import { bodyOf } from "../src/sign-in.js";
import { configure } from "../src/session.js";
import type { ConnectErrorCode } from "../src/types.js";

const page = usePage();
const seen = useElements();
let lines: string[] = [];
const uncaught: unknown[] = [];
process.on("unhandledRejection", (reason) => uncaught.push((reason as Error).stack));

beforeEach(() => {
  lines = [];
  vi.spyOn(console, "error").mockImplementation((...said: unknown[]) => void lines.push(said.join(" ")));
});

afterEach(() => {
  vi.restoreAllMocks();
  expect(uncaught).toEqual([]);
});

/** The number of listeners on the window that were added and not removed. */
function countListeners(): () => number {
  const { addEventListener: on, removeEventListener: off } = globalThis;
  const standing: [string, unknown][] = [];
  vi.stubGlobal("addEventListener", (type: string, listener: EventListener) => {
    if (type !== "securitypolicyviolation") standing.push([type, listener]);
    on.call(globalThis, type, listener);
  });
  vi.stubGlobal("removeEventListener", (type: string, listener: EventListener) => {
    const at = standing.findIndex((one) => one[0] === type && one[1] === listener);
    if (at >= 0) standing.splice(at, 1);
    off.call(globalThis, type, listener);
  });
  return () => standing.length;
}

const never = (): Promise<never> => new Promise(() => undefined);

type Oddity = [what: string, make: () => void, code: ConnectErrorCode | "connected"];

const ODDITIES: Oddity[] = [
  ["window.open throws", () => vi.stubGlobal("open", () => { throw new Error("no windows here"); }), "popup_blocked"],
  ["window.open gives nothing", () => vi.stubGlobal("open", () => undefined), "popup_blocked"],
  ["window.open is the page's own and gives no window", () => vi.stubGlobal("open", () => null), "popup_blocked"],
  ["fetch gives undefined", () => vi.stubGlobal("fetch", () => undefined), "network"],
  ["fetch gives a promise of undefined", () => vi.stubGlobal("fetch", () => Promise.resolve()), "network"],
  ["fetch throws at once", () => vi.stubGlobal("fetch", () => { throw new Error("patched"); }), "network"],
  ["fetch never answers, and knows no signal", () => vi.stubGlobal("fetch", never), "network"],
  ["fetch gives something else than a Response", () => vi.stubGlobal("fetch", () => Promise.resolve("{}")), "network"],
  ["a captive portal answers everything", () => vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>"))), "partner_unavailable"],
  ["a proxy answers for the BFF", () => vi.stubGlobal("fetch", () => Promise.resolve(Response.json({}, { status: 503 }))), "partner_unavailable"],
  ["nothing was configured", () => { configure({ base: "", product: "" }); }, "invalid_request"],
  ["the tag's data- attributes were stripped", () => { configure({ base: BASE, product: "" }); }, "invalid_request"],
  ["the BFF's address is none", () => { configure({ base: "https://" }); }, "invalid_request"],
  ["the session function throws", () => { configure({ session: () => { throw new Error("mine"); } }); }, "not_signed_in"],
  ["the session function gives nothing", () => { configure({ session: (() => undefined) as never }); }, "not_signed_in"],
  ["the session function never answers", () => { configure({ session: never }); }, "network"],
  ["the session is no function", () => { configure({ session: "token" as never }); }, "network"],
];

/** Replaces `sessionStorage` by the page's own. */
function storage(get: () => unknown): void {
  vi.stubGlobal("sessionStorage", undefined);
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get });
}

const full = {
  setItem: (): void => { throw new DOMException("full", "QuotaExceededError"); },
  removeItem: (): void => undefined,
};

const HARMLESS: [what: string, make: () => void][] = [
  ["navigator.languages is undefined", () => vi.stubGlobal("navigator", { language: "de" })],
  ["AbortSignal.timeout is missing", () => vi.stubGlobal("AbortSignal", {})],
  ["Math.random is always the same", () => vi.spyOn(Math, "random").mockReturnValue(0.5)],
  ["crypto is missing", () => vi.stubGlobal("crypto", undefined)],
  ["crypto has no randomUUID, as over http", () => vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) })],
  ["performance.now stands still", () => vi.stubGlobal("performance", { now: () => 0 })],
  ["navigator.language throws", () => vi.stubGlobal("navigator", { get language() { throw new Error("blocked"); }, get languages() { throw new Error("blocked"); } })],
  ["storage is forbidden", () => vi.stubGlobal("sessionStorage", undefined)],
  ["storage throws when it is touched", () => { storage(() => { throw new DOMException("denied", "SecurityError"); }); }],
  ["storage is full", () => { storage(() => full); }],
  ["storage is a library's, and holds no texts", () => { storage(() => ({ setItem: () => 0, removeItem: () => 0, "hitchpost demo at_9": 5 })); }],
  ["texts and lists have a toJSON of a library's", () => {
    for (const each of [String, Array]) (each.prototype as unknown as Record<string, unknown>).toJSON = function (): string { return JSON.stringify({ ...(this as object) }); };
  }],
  ["elements have an append of a library's", () => {
    for (const name of ["append", "prepend"] as const) vi.spyOn(Element.prototype, name).mockImplementation(() => { throw new Error("patched"); });
  }],
  ["the page has a base", () => { document.head.append(Object.assign(document.createElement("base"), { href: "https://cdn.example/assets/", target: "_blank" })); }],
  ["locale has a script and an underscore", () => { configure({ locale: "zh_Hant_TW" }); }],
  ["locale is empty", () => { configure({ locale: "" }); }],
  ["Object.prototype has properties of the page's own", () => { (Object.prototype as Record<string, unknown>).polluted = "x"; }],
  ["arrays have methods of the page's own", () => { (Array.prototype as unknown as Record<string, unknown>).polluted = (): void => undefined; }],
  ["Promise is a library's", () => vi.stubGlobal("Promise", class extends Promise<unknown> {})],
  ["listeners are wrapped, and know no options", () => {
    const { addEventListener: on } = globalThis;
    vi.stubGlobal("addEventListener", (type: string, listener: EventListener) => { on.call(globalThis, type, listener); });
  }],
  ["locale has an underscore", () => { configure({ locale: "de_DE" }); }],
  ["locale is no language tag", () => { configure({ locale: "deutsch, bitte!" }); }],
];

afterEach(() => {
  delete (Object.prototype as Record<string, unknown>).polluted;
  delete (Array.prototype as unknown as Record<string, unknown>).polluted;
  for (const each of [String, Array]) delete (each.prototype as unknown as Record<string, unknown>).toJSON;
  document.querySelector("base")?.remove();
  configure({ base: BASE, product: "demo", locale: undefined });
});

describe("A30 pressing Connect ends in a code, a title and a next step, and leaves nothing behind, where", () => {
  it.each(ODDITIES)("%s", async (_, make, code) => {
    make();
    const standing = countListeners();
    const flow = page.connect("crm");
    await pass(120_000);
    expect(flow.outcome).toBeInstanceOf(ConnectError);
    const { title, nextStep, ...error } = flow.outcome as ConnectError;
    expect(error.code).toBe(code);
    expect(title).toMatch(/^[A-Z][a-z -]+/);
    expect(title).not.toContain("_");
    expect(nextStep).toMatch(/^[A-Z].+\.$/);
    expect(vi.getTimerCount()).toBe(0);
    expect(standing()).toBe(0);
    expect(FakePopup.opened.every(({ closed }) => closed)).toBe(true);
    expect(lines.length).toBeLessThanOrEqual(1);
  });

  it.each(ODDITIES)("%s: the element shows it, and offers a way on", async (_, make, code) => {
    make();
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await pass(120_000);
    const text = status(element);
    expect(text.trim()).not.toBe("");
    expect(text).not.toMatch(/undefined|null|_|\[object/);
    if (code === "popup_blocked") pick(element, "Cancel");
    await pass(0);
    expect(seen.failed).toHaveLength(1);
    expect(main(element).ariaBusy).toBe("false");
    element.remove();
    await pass(60_000); // The configuration was to be read again.
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the sign-in goes as ever where", () => {
  it.each(HARMLESS)("%s", async (_, make) => {
    make();
    const standing = countListeners();
    const flow = page.connect("crm");
    await launch(page);
    page.bff.end("connected");
    await pass(10_000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
    expect(vi.getTimerCount()).toBe(0);
    expect(standing()).toBe(0);
  });

  it.each(HARMLESS)("%s: by the element, too", async (_, make) => {
    make();
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts")[0]?.body).toMatchObject({ connector: "crm", product: "demo" });
    page.bff.end("connected");
    await pass(10_000);
    expect(seen.connected).toHaveLength(1);
    expect(status(element)).toBe("Connected");
    expect(lines).toEqual([]);
  });

  it("the caller's own onStep throws", async () => {
    const flow = page.connect("crm", { onStep: () => { throw new Error("of the page's own"); } });
    await launch(page);
    page.bff.end("connected");
    await pass(10_000);
    expect(flow.outcome).toMatchObject({ status: "connected" });
    expect(lines).toEqual(["Hitchpost: Error: of the page's own"]);
    expect(vi.mocked(console.error)).toHaveBeenCalledWith("Hitchpost:", expect.any(Error)); // With its stack.
  });
});

describe("every misuse has one line in the console, that says what to change:", () => {
  it.each<[string, () => void, RegExp]>([
    ["no configuration", () => { configure({ base: "" }); }, /call configure first/],
    ["a window.open that throws", () => vi.stubGlobal("open", () => { throw new Error("no windows here"); }), /no windows here/],
    ["a session function that throws", () => { configure({ session: () => { throw new Error("my fault"); } }); }, /my fault/],
    ["what the BFF has to say", () => { page.bff.advice = "x! is no language tag"; }, /x! is no language tag/],
  ])("%s", async (_, make, line) => {
    make();
    page.connect("crm");
    page.connect("crm");
    await pass(40_000);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^Hitchpost: /);
    expect(lines[0]).toMatch(line);
  });

  it("and without configuration nobody is asked, the page's own origin least of all", async () => {
    configure({ base: "" });
    add("hitchpost-connect", { connector: "crm" });
    page.connect("crm");
    await pass(20_000);
    expect(page.bff.calls).toEqual([]);
    expect(FakePopup.opened).toEqual([]);
  });
});

describe("every code has words of its own before the BFF has told any:", () => {
  it.each<ConnectErrorCode>([
    "popup_blocked", "cancelled", "declined", "failed", "expired", "not_signed_in", "connector_unavailable",
    "partner_unavailable", "network", "invalid_request", "account_mismatch",
  ])("%s", (code) => {
    const { title, nextStep } = new ConnectError(code);
    expect(title).toMatch(/^[A-Z][a-z ]+$/);
    expect(nextStep).toMatch(/^[A-Z].+\.$/);
  });
});

describe("a language that the host names", () => {
  it.each([["de", "de"], ["de_DE", "de_DE"], ["zh-Hant-TW", "zh-Hant-TW"], ["", ""], ["x!", "x!"]])("%j is asked for as %j", (locale, asked) => {
    expect(bodyOf({ connector: "crm", locale }).locale).toBe(asked);
  });

  it("stands in the query as text, whatever it is", async () => {
    add("hitchpost-connect", { connector: "crm", locale: "de&product=other" });
    await pass(0);
    const [call] = page.bff.asked("GET", "/config");
    expect(new URLSearchParams(call?.query).get("locale")).toBe("de&product=other");
  });
});
