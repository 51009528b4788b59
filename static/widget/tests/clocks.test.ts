// @vitest-environment happy-dom
// Lifetimes count from the answer that has them, not by the clock. And a page may call `configure` after the script has loaded.
import { describe, expect, it, vi } from "vitest";
import { add, launch, main, useElements } from "./elements.js";
import { BASE } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";
import { redraw } from "../src/config.js";
import { configure } from "../src/session.js";

const page = usePage();
const seen = useElements();

describe("a clock that is hours off", () => {
  it.each([-2, 2])("%i hours: one session request, and the first click's attempt is in time", async (hours) => {
    let asked = 0;
    const now = Date.now();
    configure({
      session: () => {
        asked++;
        // By the clock of the host's server, which is right.
        return { token: "tok", expires_at: new Date(now + 3_600_000).toISOString() };
      },
    });
    vi.setSystemTime(now + hours * 3_600_000);
    page.bff.behind = hours * 3_600_000;
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).dispatchEvent(new Event("pointerenter"));
    await pass(1000);
    main(element).click();
    await launch(page);
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_1"]);
    page.bff.end("connected");
    await pass(6000);
    expect(seen.connected).toHaveLength(1);
    expect(asked).toBe(1);
  });

  it.each([-2, 2])("%i hours: an attempt made ahead is left when its time is over", async (hours) => {
    vi.setSystemTime(Date.now() + hours * 3_600_000);
    page.bff.behind = hours * 3_600_000;
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).dispatchEvent(new Event("pointerenter"));
    await pass(page.bff.lifetime);
    main(element).click();
    await launch(page);
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_2"]);
    page.bff.end("declined");
    await pass(6000);
  });
});

describe("a page that configures after the script has come", () => {
  it("has its buttons named then, and nobody was asked before", async () => {
    configure({ base: "" });
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(1000);
    expect(page.bff.calls).toEqual([]);
    configure({ base: BASE });
    redraw();
    await pass(0);
    expect(main(element).textContent).toBe("Connect Acme CRM");
    element.remove();
    redraw();
    await pass(0);
    expect(page.bff.asked("GET", "/config")).toHaveLength(1);
  });
});
