// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { configure } from "../src/session.js";
import { add, launch, main, part, status, useElements } from "./elements.js";
import { PARTNER_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

describe("the button", () => {
  it("is named Connect {connector name}, by one read of the configuration for all elements", async () => {
    page.bff.configured = false;
    const early = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    expect(main(early).textContent).toBe("Connect");
    page.bff.configured = true;
    const elements = [add("hitchpost-connect", { connector: "crm" }, "\n  "), add("hitchpost-connect", { connector: "crm" })];
    const asked = page.bff.asked("GET", "/config").length;
    await pass(500);
    expect(main(early).textContent).toBe("Connect Acme CRM");
    expect(elements.map((element) => main(element).textContent)).toEqual(["Connect Acme CRM", "Connect Acme CRM"]);
    expect(page.bff.asked("GET", "/config").length - asked).toBeLessThanOrEqual(1);
  });

  it("keeps the host's own text", async () => {
    const element = add("hitchpost-connect", { connector: "crm" }, "Link it");
    await pass(0);
    expect(main(element).textContent).toBe("");
    expect(main(element).querySelector("slot")).not.toBeNull();
  });

  it("gives way to text that the host adds later", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    element.textContent = "Link it";
    main(element).querySelector("slot")?.dispatchEvent(new Event("slotchange"));
    expect(main(element).textContent).toBe("");
  });

  it("makes one attempt ahead of the click, and the click uses it", async () => {
    const element = add("hitchpost-connect", { connector: "crm", message: "m", locale: "de" });
    main(element).dispatchEvent(new Event("pointerenter"));
    main(element).dispatchEvent(new Event("focus"));
    main(element).dispatchEvent(new Event("pointerdown"));
    await pass(0);
    main(element).click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts").map(({ body }) => body)).toEqual([
      { connector: "crm", message: "m", locale: "de", pressed: false, product: "demo" },
    ]);
    expect(seen.steps).toEqual(["prepared", "opening", "launched", "waiting"]);
    page.bff.end("declined");
    await pass(1000);
  });

  it("does not use an attempt that was made for another user", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).dispatchEvent(new Event("pointerenter"));
    await pass(0);
    configure({ session: () => "another" });
    main(element).click();
    await launch(page);
    expect(FakePopup.last.posted.map(({ data }) => data.token)).toEqual(["lt_at_2"]);
    page.bff.end("declined");
    await pass(1000);
  });

  it("does not use an attempt that is about to end", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).dispatchEvent(new Event("pointerenter"));
    await pass(page.bff.lifetime - 50_000);
    main(element).click();
    await pass(0);
    expect(page.bff.asked("POST", "/attempts")).toHaveLength(2);
    page.bff.end("declined");
    await pass(1000);
  });

  it("shows its popup when pressed again while a flow runs, and never makes a second attempt", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    expect(main(element).ariaBusy).toBe("true");
    main(element).click();
    main(element).click();
    await pass(0);
    expect(FakePopup.opened).toHaveLength(1);
    expect(FakePopup.last.focused).toBe(2);
    expect(page.bff.attempts.size).toBe(1);
    page.bff.end("connected");
    await pass(1000);
    expect(status(element)).toBe("Connected");
    expect(main(element).ariaBusy).toBe("false");
    expect(seen.connected).toHaveLength(1);
  });

  it("shows what went wrong and what to do", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    page.bff.end("failed");
    await pass(1000);
    expect(status(element)).toBe("Title of failed\nNext step of failed");
    expect(part(element, "code").textContent).toContain("SC-at_1");
    expect(seen.failed).toMatchObject([
      { code: "failed", title: "Title of failed", nextStep: "Next step of failed", attempt: "at_1", supportCode: "SC-at_1" },
    ]);
  });

});

describe("a host's own button", () => {
  it("connects, whenever it was added, with its message and locale", async () => {
    const button = add("button", { "data-hitchpost-connect": "crm", "data-hitchpost-message": "m", "data-hitchpost-locale": "ar" }, "Go");
    button.dispatchEvent(new Event("pointerover", { bubbles: true }));
    await pass(0);
    button.click();
    await launch(page);
    expect(page.bff.asked("POST", "/attempts").map(({ body }) => body)).toEqual([{ connector: "crm", message: "m", locale: "ar", pressed: false, product: "demo" }]);
    page.bff.end("connected");
    FakePopup.last.say("done at_1", PARTNER_ORIGIN);
    await pass(0);
    expect(seen.connected).toMatchObject([{ channel: "message" }]);
  });

  it("is told popup_blocked: there is nowhere to show choices", async () => {
    FakePopup.refuse = true;
    add("button", { "data-hitchpost-connect": "crm" }).click();
    await pass(0);
    expect(seen.failed).toMatchObject([{ code: "popup_blocked" }]);
  });
});
