// @vitest-environment happy-dom
// Nothing of a flow stays behind on the page, however it ended.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its target below, and put back at the end
const { addEventListener: add } = EventTarget.prototype;
let listening = new Set<string>();
let count = 0;

beforeEach(() => {
  listening = new Set();
  count = 0;
  EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, listener, options) {
    const name = `${type} ${String(count++)}`;
    listening.add(name);
    const signal = typeof options === "object" ? options.signal : undefined;
    if (signal) add.call(signal, "abort", () => listening.delete(name));
    add.call(this, type, listener, options);
  };
});

afterEach(() => {
  EventTarget.prototype.addEventListener = add;
});

/** The flow, launched, and the page before it. */
async function begin(signal?: AbortSignal): Promise<{ outcome: unknown }> {
  const flow = page.connect("crm", { signal });
  await pass(0);
  FakePopup.opened.at(-1)?.ready();
  await pass(0);
  return flow;
}

const over = new AbortController();

describe("A30, A31 nothing stays behind, in the page or in its storage", () => {
  it.each<[string, () => Promise<unknown>]>([
    ["connected", async () => { await begin(); page.bff.end("connected"); }],
    ["declined", async () => { await begin(); page.bff.end("declined"); }],
    ["expired", async () => { await begin(); page.bff.end("expired"); }],
    ["cancelled", async () => { await begin(over.signal); over.abort(); }],
    ["the window closed", async () => { await begin(); FakePopup.last.closed = true; await pass(3000); page.bff.end("connected"); }],
    ["a blocked popup", () => { FakePopup.refuse = true; return begin(); }],
    ["no network at the click", () => { page.bff.troubles.push(() => { throw new TypeError(); }); return begin(); }],
    ["nobody signed in", () => { page.bff.troubles.push(() => new Response("", { status: 401 }), () => new Response("", { status: 401 })); return begin(); }],
  ])("after: %s", async (_, play) => {
    const before = document.documentElement.outerHTML;
    await play();
    await pass(6000);
    expect([...listening]).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    expect(FakePopup.opened.every(({ closed }) => closed)).toBe(true);
    expect(sessionStorage.length).toBe(0);
    expect(document.documentElement.outerHTML).toBe(before);
  });
});
