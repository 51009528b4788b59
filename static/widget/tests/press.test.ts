// @vitest-environment happy-dom
// The widget reports a press as the button goes down, so that the BFF has minted by the time of the launch.
import { describe, expect, it, vi } from "vitest";
import { kit } from "../src/kit.js";
import { prefetchInUse } from "../src/prefetch.js";
import { configure } from "../src/session.js";
import { add, launch, main, useElements } from "./elements.js";
import { BASE, problem } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

/** Presses a mouse button on the element. */
function down(target: Element, button = 0): void {
  target.dispatchEvent(new MouseEvent("mousedown", { button, detail: 1, bubbles: true }));
}

/** A <hitchpost-connect> whose attempt is prefetched. */
async function hovered(attributes: Record<string, string> = {}): Promise<HTMLElement> {
  const element = add("hitchpost-connect", { connector: "crm", ...attributes });
  main(element).dispatchEvent(new MouseEvent("pointerenter"));
  await pass(0);
  return element;
}

async function end(): Promise<void> {
  page.bff.end("declined");
  await pass(1000);
}

describe("a button that the pointer reached before panel.js came", () => {
  it.each([["under it", true, 1], ["beside it", false, 0]])("has its attempt once panel.js is here: %s", async (_, reached, attempts) => {
    const element = add("hitchpost-connect", { connector: "crm" });
    vi.spyOn(element, "matches").mockImplementation((selector) => reached && selector.includes(":hover"));
    prefetchInUse(kit);
    await pass(0);
    expect(page.bff.attempts.size).toBe(attempts);
  });
});

describe("what was made ahead, when the user is back from another tab", () => {
  it.each([["is made anew, where cookies say who is signed in", undefined, 2], ["is used, where the page has the session", () => "tok", 1]])("%s", async (_, session, attempts) => {
    configure({ session });
    const element = await hovered();
    dispatchEvent(new Event("focus"));
    main(element).click();
    await launch(page);
    expect([page.bff.attempts.size, FakePopup.last.posted[0]?.data.token]).toEqual([attempts, `lt_at_${String(attempts)}`]);
    await end();
  });
});

describe("a press", () => {
  it("is told as the button goes down, before any window opens, and once", async () => {
    const element = await hovered();
    expect(page.bff.pressed).toEqual([]);
    down(main(element));
    await pass(0);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    expect(FakePopup.opened).toHaveLength(0);
    main(element).click();
    await launch(page);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    expect(page.bff.attempts.size).toBe(1);
    await end();
  });

  it("is told by the click when no button went down, by a key or a finger, say", async () => {
    const element = await hovered();
    main(element).dispatchEvent(new MouseEvent("pointerdown", { detail: 0 }));
    await pass(0);
    expect(page.bff.pressed).toEqual([]);
    main(element).click();
    await pass(0);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    await launch(page);
    await end();
  });

  it("is told as soon as the attempt is there, when the button went down before", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).dispatchEvent(new MouseEvent("pointerenter"));
    down(main(element));
    expect(page.bff.pressed).toEqual([]);
    await pass(0);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    expect(page.bff.asked("POST", "/attempts").map(({ body }) => body?.pressed)).toEqual([false]);
  });

  it.each<[string, (button: HTMLElement) => void]>([
    ["a click", () => undefined],
    ["a button that goes down", down],
  ])("goes with the attempt that %s has to begin itself", async (_, before) => {
    const element = add("hitchpost-connect", { connector: "crm" });
    before(main(element));
    main(element).click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts").map(({ body }) => body?.pressed)).toEqual([true]);
    expect(page.bff.pressed).toEqual([]);
    await end();
  });

  it("goes with a headless connect, too", async () => {
    page.connect("crm");
    await pass(0);
    expect(page.bff.asked("POST", "/attempts").map(({ body }) => body?.pressed)).toEqual([true]);
  });

  it.each([1, 2])("is none with another button of the mouse (%i)", async (button) => {
    const element = await hovered();
    down(main(element), button);
    await pass(0);
    expect(page.bff.pressed).toEqual([]);
  });

  it("is none while a flow of this button runs", async () => {
    const element = await hovered();
    main(element).click();
    await launch(page);
    down(main(element));
    await pass(0);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    expect(page.bff.attempts.size).toBe(1);
    await end();
  });

  it("is told on a host's own button as well", async () => {
    const button = add("button", { "data-hitchpost-connect": "crm" });
    button.dispatchEvent(new MouseEvent("pointerover", { bubbles: true }));
    await pass(0);
    expect(page.bff.pressed).toEqual([]);
    down(button);
    await pass(0);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    button.click();
    await launch(page);
    await end();
  });

  it("helps a sign-in in this tab only as the button goes down: with the click the launch itself is sent", async () => {
    HTMLFormElement.prototype.submit = (): void => undefined;
    const [one, other] = [await hovered({ delivery: "return" }), await hovered({ delivery: "return", message: "m" })];
    down(main(one));
    await pass(0);
    main(one).click();
    main(other).click();
    await pass(0);
    expect(page.bff.pressed).toEqual(["lt_at_1"]);
    for (const row of page.bff.attempts.values()) page.bff.end("declined", row);
    await pass(5000);
  });

  it("is a request that no browser asks about first, without the session", async () => {
    const element = await hovered();
    down(main(element));
    await pass(0);
    const [call] = page.bff.asked("POST", "/press");
    expect(call).toMatchObject({ path: new URL(BASE).pathname + "/v1/press", query: "", headers: {}, credentials: undefined });
  });

  it("that nobody hears changes nothing", async () => {
    page.bff.hears = false;
    const element = await hovered();
    down(main(element));
    await pass(0);
    main(element).click();
    await launch(page);
    page.bff.end("connected");
    await pass(1000);
    expect(seen.connected).toHaveLength(1);
    expect(seen.failed).toEqual([]);
  });

  it("of an attempt that could not be made is told to nobody, and what went wrong by the click", async () => {
    const down503 = (): Response => problem(503, "partner_unavailable", "Down");
    page.bff.troubles.push(down503, down503);
    const element = add("hitchpost-connect", { connector: "crm" });
    down(main(element));
    await pass(0);
    main(element).click();
    await pass(0);
    expect(page.bff.pressed).toEqual([]);
    expect(seen.failed).toMatchObject([{ code: "partner_unavailable" }]);
  });
});
