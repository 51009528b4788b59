// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { kit } from "../src/kit.js";
import { configure } from "../src/session.js";
import { add, launch, main, names, offered, pick, useElements } from "./elements.js";
import { BASE } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { holdCalls, pass, remembered, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

describe("A30 a blocked popup", () => {
  async function blocked(): Promise<HTMLElement> {
    FakePopup.refuse = true;
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    await pass(0);
    FakePopup.refuse = false;
    return element;
  }

  it("offers Open again, Continue in this tab and Cancel, and fails nothing by itself", async () => {
    const element = await blocked();
    await pass(60_000);
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    expect(seen).toMatchObject({ steps: ["popup_blocked"], failed: [] });
    pick(element, "Cancel");
    await pass(0);
    expect(seen.failed).toMatchObject([{ code: "cancelled" }]);
    expect(names(element)).toEqual([]);
  });

  it("is one as well where the browser throws, as Firefox does in a frame whose sandbox allows no popups", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    vi.stubGlobal("open", () => { throw new DOMException("", "InvalidAccessError"); });
    main(element).click();
    await pass(0);
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    pick(element, "Cancel");
    await pass(0);
  });

  it("goes on in a window that opens at last", async () => {
    const element = await blocked();
    pick(element, "Open again");
    await launch(page);
    page.bff.end("connected");
    await pass(1000);
    expect(seen.connected).toHaveLength(1);
  });

  it("goes on in this tab by posting the launch token, and remembers the attempt", async () => {
    const element = await blocked();
    const forms: string[] = [];
    HTMLFormElement.prototype.submit = function (): void {
      forms.push(`${this.method} ${this.action} ${new URLSearchParams([...new FormData(this)] as string[][]).toString()}`);
    };
    pick(element, "Continue in this tab");
    await pass(0);
    expect(page.bff.asked("POST", "/attempts")[0]?.body).toEqual({ connector: "crm", delivery: "return", pressed: false, product: "demo", return_url: location.href });
    expect(forms).toEqual(["POST https://bff.example/prefix/connect/launch launch_token=lt_at_1"]);
    expect(remembered()).toEqual({ at_1: "crm" });
    expect(document.querySelector("form")).toBeNull();
    page.bff.end("connected");
    await pass(10_000);
  });
});

describe("A29, A30 a window that seems gone", () => {
  async function unsure(): Promise<HTMLElement> {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    await launch(page);
    FakePopup.last.closed = true;
    page.focus = true;
    await pass(3000);
    return element;
  }

  it("leads to choices, never to a verdict; a connection still wins", async () => {
    const element = await unsure();
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    page.bff.end("connected");
    await pass(5000);
    expect(names(element)).toEqual([]);
    expect(seen.connected).toHaveLength(1);
  });

  it("is told within a second, with the header that does it, when the page is cut off from its popups", async () => {
    const told = vi.spyOn(console, "error").mockReturnValue();
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    FakePopup.last.closed = true;
    await pass(1500);
    expect(names(element)).toContain("Continue in this tab");
    expect(told.mock.calls.flat().join()).toContain("Cross-Origin-Opener-Policy");
    told.mockRestore();
    pick(element, "Cancel");
    await pass(0);
  });

  it("leads to choices too when nothing was ever heard of it: a page may be cut off from its popups", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(element).click();
    FakePopup.last.closed = true;
    await pass(6000);
    expect(names(element)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    pick(element, "Cancel");
    await pass(0);
  });

  it("opens again with a new attempt, once the old one is cancelled", async () => {
    const element = await unsure();
    pick(element, "Open again");
    expect(FakePopup.opened).toHaveLength(2);
    await launch(page);
    expect(page.bff.attempts.get("at_1")?.status).toBe("cancelled");
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_2"]);
    expect(seen.failed).toHaveLength(0);
    page.bff.end("connected");
    await pass(1000);
    expect(seen.connected).toMatchObject([{ attempt: "at_2" }]);
  });

  it("offers choices when the window that should open again is blocked, whatever happens while the cancel call runs", async () => {
    const element = await unsure();
    const answer = holdCalls(/cancel$/);
    FakePopup.refuse = true;
    pick(element, "Open again");
    dispatchEvent(new Event("focus"));
    await pass(5000);
    answer();
    await pass(0);
    expect([names(element), seen.failed]).toEqual([["Open again", "Continue in this tab", "Cancel"], []]);
    pick(element, "Cancel");
    await pass(0);
    expect(seen.failed).toMatchObject([{ code: "cancelled" }]);
  });

  it("tells of a sign-in that the next user of the page has begun by Open again", async () => {
    const element = await unsure();
    configure({ base: BASE, product: "demo", session: () => "next" });
    page.bff.attempts.delete("at_1"); // Which this user cannot read.
    pick(element, "Open again");
    await launch(page);
    page.bff.end("connected");
    await pass(5000);
    expect(seen).toMatchObject({ connected: [{ attempt: page.bff.last.id }], failed: [] });
  });

  it("opens nothing new when the old attempt proves connected", async () => {
    const element = await unsure();
    page.bff.endsOnCancel = "connected";
    pick(element, "Open again");
    await pass(0);
    expect(seen.connected).toMatchObject([{ attempt: "at_1" }]);
    expect(page.bff.attempts.size).toBe(1);
    expect(FakePopup.opened.every(({ closed }) => closed)).toBe(true);
  });

  it("takes a press of the button itself for Open again", async () => {
    const element = await unsure();
    main(element).click();
    await launch(page);
    expect(FakePopup.opened).toHaveLength(2);
    page.bff.end("declined");
    await pass(1000);
  });

  it("gives the focus to the main button when a choice that had it vanishes", async () => {
    const element = await unsure();
    offered(element).at(-1)?.focus();
    pick(element, "Cancel");
    await pass(0);
    expect(element.shadowRoot?.activeElement).toBe(main(element));
  });
});

describe("a choice while the call that cancels the attempt before it still runs", () => {
  it.each([
    ["cancel", [true, true], 1],
    ["open_again", [true, true, false], 2],
  ] as const)("%s takes the place of Open again, and leaves no window behind", async (choice, closed, attempts) => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    let arrive = (): void => undefined;
    const answered = globalThis.fetch;
    vi.stubGlobal("fetch", async (...request: Parameters<typeof fetch>) => {
      if ((request[0] as string).endsWith("/cancel")) await new Promise<void>((resolve) => { arrive = resolve; });
      return answered(...request);
    });
    kit.press(element, "open_again");
    await pass(0);
    kit.press(element, choice);
    await pass(0);
    arrive();
    await pass(500);
    expect(FakePopup.opened.map((popup) => popup.closed)).toEqual(closed);
    expect([...page.bff.attempts]).toHaveLength(attempts);
    vi.stubGlobal("fetch", answered);
    kit.press(element, "cancel");
    await pass(2000);
    expect(seen.failed).toMatchObject([{ code: "cancelled" }]);
  });
});
