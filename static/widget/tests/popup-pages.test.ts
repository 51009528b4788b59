// @vitest-environment happy-dom
// The scripts of the popup's own pages.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const HOST = "https://host.example";
const listeners: [string, EventListener][] = [];
const opener = { postMessage: vi.fn() };
const location = { pathname: "/connect/return/secret", search: "", hash: "", replace: vi.fn(), reload: vi.fn() };

/** Runs a script of ../../pages as its page does. */
async function run(name: string): Promise<void> {
  vi.resetModules();
  await import(/* @vite-ignore */ `../../pages/${name}.js`);
}

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(location, { search: "", hash: "" });
  vi.stubGlobal("location", location);
  vi.stubGlobal("close", vi.fn());
  Object.defineProperty(window, "opener", { configurable: true, value: opener });
  vi.spyOn(window, "addEventListener").mockImplementation((type: string, listener: unknown) => {
    listeners.push([type, listener as EventListener]);
  });
});

afterEach(() => {
  vi.clearAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  listeners.length = 0;
});

/** Calls the listeners that the page has added for this event. */
function happen(type: string, properties: object): void {
  for (const [name, listener] of listeners) if (name === type) listener(Object.assign(new Event(type), properties));
}

describe("the opening page", () => {
  const submitted = vi.fn();

  beforeEach(() => {
    submitted.mockReset();
    document.body.innerHTML = "<section id='opening'></section><section id='stranded' hidden></section><form><input name='launch_token'></form><button data-close></button>";
    vi.spyOn(HTMLFormElement.prototype, "submit").mockImplementation(function (this: HTMLFormElement) {
      submitted(new FormData(this).get("launch_token"));
    });
    const script = document.createElement("script");
    script.dataset.origin = HOST;
    Object.defineProperty(document, "currentScript", { configurable: true, value: script });
  });

  it("asks its opener for the token, and takes it from nobody else", async () => {
    await run("opening");
    expect(opener.postMessage).toHaveBeenCalledWith({ type: "hitchpost.ready" }, HOST);
    const data = { type: "hitchpost.launch", token: "lt" };
    happen("message", { data, origin: "https://elsewhere.example", source: opener });
    happen("message", { data, origin: HOST, source: {} });
    happen("message", { data: { ...data, token: 5 }, origin: HOST, source: opener });
    happen("message", { data: null, origin: HOST, source: opener });
    await vi.advanceTimersByTimeAsync(0);
    expect(submitted).not.toHaveBeenCalled();
    happen("message", { data, origin: HOST, source: opener });
    await vi.advanceTimersByTimeAsync(0);
    expect(submitted).toHaveBeenCalledWith("lt");
  });

  it("begins anew when Back brings it as it was left", async () => {
    await run("opening");
    happen("pageshow", { persisted: false });
    expect(location.reload).not.toHaveBeenCalled();
    happen("pageshow", { persisted: true });
    expect(location.reload).toHaveBeenCalledOnce();
  });

  it.each(["cut off from its opener", "with an opener that gives it nothing"])("is no dead end: %s", async (how) => {
    if (how.startsWith("cut")) Object.defineProperty(window, "opener", { configurable: true, value: null });
    await run("opening");
    await vi.advanceTimersByTimeAsync(31_000);
    expect(document.querySelector<HTMLElement>("#stranded")?.hidden).toBe(false);
    expect(document.querySelector<HTMLElement>("#opening")?.hidden).toBe(true);
  });
});

describe("the return page", () => {
  const reported: Record<string, string>[] = [];
  let says: object[] = [];

  beforeEach(() => {
    reported.length = 0;
    says = [{ status: "declined" }];
    document.body.innerHTML = `<section id="finishing"></section><section id="ask" hidden><h1 tabindex="-1"></h1>
      <button data-finished="yes"></button><button data-finished="no"></button></section>
      <section id="lost" hidden><h1 tabindex="-1"></h1><button data-again></button></section><section id="done" hidden></section>`;
    Object.assign(document.body.dataset, { origin: HOST, attempt: "at_1" });
    vi.stubGlobal("fetch", (_: string, { body }: { body: URLSearchParams }) => {
      reported.push(Object.fromEntries(body));
      return Promise.resolve(Response.json(says.length > 1 ? says.shift() : says[0]));
    });
  });

  it.each([
    ["?error=access_denied", "", "access_denied"],
    ["", "#error=access_denied&state=x", "access_denied"],
    ["?code=c", "#", ""],
    [`?error=${"x".repeat(500)}`, "", "x".repeat(100)],
  ])("reports the error that the browser came back with: %s%s", async (search, hash, error) => {
    Object.assign(location, { search, hash });
    await run("return");
    await vi.advanceTimersByTimeAsync(0);
    expect(reported).toEqual([{ error }]);
    expect(opener.postMessage).toHaveBeenCalledWith({ type: "hitchpost.returned", attempt: "at_1" }, HOST);
  });

  it("reports nothing where it tells of what has ended, and sends its opener to ask", async () => {
    for (const section of document.querySelectorAll("section")) section.hidden = section.id !== "done";
    await run("return");
    await vi.advanceTimersByTimeAsync(30_000);
    expect([reported, shown()]).toEqual([[], ["done"]]);
    expect(opener.postMessage).toHaveBeenCalledWith({ type: "hitchpost.returned", attempt: "at_1" }, HOST);
  });

  it("asks the user where the server knows no end, and reports the answer", async () => {
    says = [{ status: "launched" }, { status: "launched" }, { status: "connected", return_url: "/settings" }];
    await run("return");
    await vi.advanceTimersByTimeAsync(1500);
    expect(document.querySelector<HTMLElement>("#ask")?.hidden).toBe(false);
    expect(opener.postMessage).not.toHaveBeenCalled();
    document.querySelector<HTMLElement>("[data-finished=yes]")?.click();
    await vi.advanceTimersByTimeAsync(0);
    expect(reported.at(-1)).toMatchObject({ finished: "yes" });
    expect(location.replace).toHaveBeenCalledWith("/settings");
  });

  const shown = (): string[] => [...document.querySelectorAll("section")].filter(({ hidden }) => !hidden).map(({ id }) => id);

  /** What the next reports meet, in this order; then the server answers. A string: it cannot be reached. */
  function meet(...troubles: (Response | string)[]): void {
    const answers = fetch;
    vi.stubGlobal("fetch", async (url: string, init: { body: URLSearchParams }) => {
      const trouble = troubles.shift();
      if (!trouble) return answers(url, init);
      reported.push(Object.fromEntries(init.body));
      await Promise.resolve();
      if (typeof trouble === "string") throw new TypeError(trouble);
      return trouble;
    });
  }

  const down = (): Response[] => Array.from({ length: 6 }, () => new Response("bad gateway", { status: 502 }));

  it.each<[string, Response | string]>([
    ["is reset", "Failed to fetch"],
    ["is answered 502 by a proxy", new Response("bad gateway", { status: 502 })],
    ["is answered 503", new Response("{}", { status: 503 })],
    ["is answered 429", new Response("{}", { status: 429, headers: { "Retry-After": "2" } })],
    ["is answered by a page that is not the server's", new Response("<p>Sign in to this network")],
    ["is answered without a status", Response.json({})],
    ["is answered by null", Response.json(null)],
  ])("reports again, with the same error, what %s", async (_, trouble) => {
    Object.assign(location, { search: "?error=access_denied" });
    meet(trouble);
    await run("return");
    await vi.advanceTimersByTimeAsync(0);
    expect([shown(), opener.postMessage.mock.calls, vi.mocked(close).mock.calls]).toEqual([["finishing"], [], []]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(reported).toEqual([{ error: "access_denied" }, { error: "access_denied" }]);
    expect(opener.postMessage).toHaveBeenCalledOnce();
    expect(close).toHaveBeenCalledOnce();
  });

  it("reports the user's answer again too", async () => {
    says = [{ status: "launched" }, { status: "launched" }, { status: "connected" }];
    await run("return");
    await vi.advanceTimersByTimeAsync(1500);
    meet("Failed to fetch", "Failed to fetch");
    document.querySelector<HTMLElement>("[data-finished=yes]")?.click();
    await vi.advanceTimersByTimeAsync(2000);
    expect(reported.slice(2).map(({ finished }) => finished)).toEqual(["yes", "yes", "yes"]);
    expect(close).toHaveBeenCalledOnce();
  });

  it("stays while the server does not answer, and lets the user try again", async () => {
    meet(...down());
    await run("return");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([reported.length, shown(), opener.postMessage.mock.calls, vi.mocked(close).mock.calls]).toEqual([6, ["lost"], [], []]);
    document.querySelector<HTMLElement>("[data-again]")?.click();
    expect(shown()).toEqual(["finishing"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(opener.postMessage).toHaveBeenCalledOnce();
    expect(close).toHaveBeenCalledOnce();
  });

  it("tries again what the user had answered", async () => {
    says = [{ status: "launched" }, { status: "launched" }, { status: "cancelled" }];
    await run("return");
    await vi.advanceTimersByTimeAsync(1500);
    meet(...down());
    document.querySelector<HTMLElement>("[data-finished=no]")?.click();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([shown(), vi.mocked(close).mock.calls]).toEqual([["lost"], []]);
    document.querySelector<HTMLElement>("[data-again]")?.click();
    await vi.advanceTimersByTimeAsync(0);
    expect(reported.at(-1)).toMatchObject({ finished: "no" });
    expect(close).toHaveBeenCalledOnce();
  });

  it("repeats nothing that the server refuses for good, and never says that it is done", async () => {
    meet(new Response("", { status: 403 }));
    await run("return");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([reported.length, shown(), vi.mocked(close).mock.calls]).toEqual([1, ["lost"], []]);
  });
});
