// @vitest-environment happy-dom
// The script of the form before a sign-in.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const HOST = "https://host.example";
const location = { pathname: "/connect/form", reload: vi.fn() };

async function run(name: string): Promise<void> {
  vi.resetModules();
  await import(/* @vite-ignore */ `../../pages/${name}.js`);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", location);
  vi.stubGlobal("close", vi.fn());
});

afterEach(() => {
  vi.clearAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("the form", () => {
  const post = vi.fn<(sent: Record<string, string>) => Promise<Response>>();
  const assign = vi.fn();

  beforeEach(() => {
    post.mockReset();
    assign.mockReset();
    Object.assign(location, { assign });
    vi.stubGlobal("fetch", (_url: string, { body }: { body: URLSearchParams }) => post(Object.fromEntries(body)));
    Object.assign(document.body.dataset, { origin: HOST, attempt: "att", lost: "The answer got lost." });
    document.body.innerHTML = `<form><input type="text" name="v0" value="north"><input name="form_token" value="t0">
      <button type="submit"></button><button type="button" data-cancel></button></form>
      <p id="whole"></p><p id="checking" hidden></p><button data-close></button>`;
  });

  const AGAIN = { faults: {}, whole: "Sent already.", token: "t1", again: true };

  /** Presses its button, and waits for what it says. */
  async function press(): Promise<string | null> {
    document.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
    await vi.advanceTimersByTimeAsync(0);
    return document.getElementById("whole")?.textContent ?? null;
  }

  it("goes on with the press after a lost answer, though the lost submission arrived", async () => {
    post.mockRejectedValueOnce(new TypeError("network"));
    post.mockResolvedValueOnce(Response.json(AGAIN)).mockResolvedValueOnce(Response.json({ go: "https://crm.example/" }));
    await run("form");
    expect(await press()).toBe("The answer got lost.");
    expect(assign).not.toHaveBeenCalled();
    await press();
    expect(post.mock.calls.map(([sent]) => sent.form_token)).toEqual(["t0", "t0", "t1"]);
    expect(post.mock.calls.every(([sent]) => sent.v0 === "north")).toBe(true);
    expect(assign).toHaveBeenCalledExactlyOnceWith("https://crm.example/");
  });

  it("asks for another press if the form was submitted in another window", async () => {
    post.mockResolvedValueOnce(Response.json(AGAIN));
    await run("form");
    expect(await press()).toBe("Sent already.");
    expect(post).toHaveBeenCalledOnce();
  });
});
