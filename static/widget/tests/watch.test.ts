// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { launch, main, shown, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

describe("a page that is looked at again", () => {
  it.each(["focus", "pageshow", "visibilitychange"])("learns within five seconds what was done elsewhere (%s)", async (event) => {
    page.bff.account.add("crm");
    const element = await shown();
    await pass(60_000);
    page.bff.account.all.length = 0;
    window.dispatchEvent(new Event(event));
    await pass(5000);
    expect(element.getAttribute("state")).toBe("idle");
  });

  it("asks once more: of two workers of the BFF one may hear of it a moment later", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    window.dispatchEvent(new Event("focus"));
    await pass(1000);
    expect(element.getAttribute("state")).toBe("connected");
    page.bff.account.all.length = 0;
    await pass(4000);
    expect(element.getAttribute("state")).toBe("idle");
  });

  it("asks again although the clock was set back", async () => {
    page.bff.account.add("crm");
    const element = await shown();
    window.dispatchEvent(new Event("focus"));
    await pass(10_000);
    vi.setSystemTime(Date.now() - 3_600_000);
    page.bff.account.all.length = 0;
    window.dispatchEvent(new Event("focus"));
    await pass(5000);
    expect(element.getAttribute("state")).toBe("idle");
  });

  it("asks no more often, however often it is looked at", async () => {
    page.bff.account.add("crm");
    await shown();
    await pass(60_000);
    const before = page.bff.asked("GET", "/config").length;
    for (let times = 0; times < 10; times++) {
      window.dispatchEvent(new Event("focus"));
      await pass(100);
    }
    await pass(4000);
    expect(page.bff.asked("GET", "/config").length - before).toBe(2);
  });

  it("shows what a sign-in in another element has connected", async () => {
    page.bff.states = { crm: "disconnected" };
    const [one, other] = [await shown(), await shown()];
    main(one).click();
    await launch(page);
    page.bff.account.add("crm");
    page.bff.end("connected");
    await pass(5000);
    expect([one, other].map((each) => each.getAttribute("state"))).toEqual(["connected", "connected"]);
    expect(FakePopup.opened).toHaveLength(1);
  });
});
