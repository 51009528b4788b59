// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { add, launch, main, names, pick, shown, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { leave, pass, usePage } from "./page.js";
import { kit } from "../src/kit.js";
import { install as resume } from "../src/resume.js";

const page = usePage();
const seen = useElements();

/** An element whose flow ended because another third-party account signed in. */
async function mismatched(): Promise<HTMLElement> {
  const element = add("hitchpost-connect", { connector: "crm" });
  main(element).click();
  await launch(page);
  Object.assign(page.bff.last, { status: "failed", code: "account_mismatch" });
  FakePopup.last.say({ type: "hitchpost.trouble" });
  await pass(0);
  return element;
}

/** Presses a button of the element by its text; of several, the one at `which`. */
function press(element: HTMLElement, name: string, which = 0): void {
  [...(element.shadowRoot?.querySelectorAll("button") ?? [])].filter(({ textContent }) => textContent === name)[which]?.click();
}

describe("another account than the connected one has signed in", () => {
  it("is told as account_mismatch, with two ways on", async () => {
    const element = await mismatched();
    expect(seen.failed).toMatchObject([{ code: "account_mismatch", attempt: "at_1" }]);
    expect(names(element)).toEqual(["Use this account instead", "Try again"]);
  });

  it("offers no other account to a user who may not end the connection", async () => {
    page.bff.says.may_accept = false;
    const element = await mismatched();
    const reads = page.bff.reads.length;
    expect([names(element), seen.failed]).toMatchObject([["Try again"], [{ mayAccept: false }]]);
    await pass(500);
    expect(page.bff.reads).toHaveLength(reads);
  });

  it("is connected by Use this account instead, as an attempt of its own, without a window", async () => {
    const element = await mismatched();
    pick(element, "Use this account instead");
    await pass(0);
    expect(page.bff.asked("POST", "/attempts/at_1/accept")).toHaveLength(1);
    expect(seen.connected).toMatchObject([{ attempt: "at_2", connector: "crm" }]);
    expect(FakePopup.opened).toHaveLength(1);
    expect(names(element)).toEqual([]);
  });

  it("goes on with the same connection where the accepted attempt has to begin again", async () => {
    const [, second] = [page.bff.account.add("crm", { external_account: "ada" }), page.bff.account.add("crm", { external_account: "grace" })];
    const element = await shown();
    press(element, "Reconnect", 1);
    await launch(page);
    Object.assign(page.bff.last, { status: "failed", code: "account_mismatch" });
    await pass(10_000);
    page.bff.acceptedStatus = "launched";
    page.focus = true;
    press(element, "Use this account instead");
    await pass(5000);
    press(element, "Open again");
    await launch(page);
    expect(page.bff.asked("POST", "/attempts").map(({ body }) => body?.connection)).toEqual([second.id, second.id]);
    page.bff.end("declined");
    await pass(10_000);
  });

  it("keeps both ways on for a button that takes its place, though the pointer was on the first one", async () => {
    const element = await mismatched();
    main(element).dispatchEvent(new Event("pointerenter"));
    await pass(500);
    expect(seen.steps).toContain("prepared");
    element.remove();
    expect(names(await shown())).toEqual(["Use this account instead", "Try again"]);
  });

  it("is about the same connection when the user tries again, also after a reload", async () => {
    const [, second] = [page.bff.account.add("crm", { external_account: "ada" }), page.bff.account.add("crm", { external_account: "grace" })];
    const element = await shown();
    const mismatch = async (): Promise<void> => {
      Object.assign(page.bff.last, { status: "failed", code: "account_mismatch" });
      await pass(10_000);
      press(element, "Try again");
      await launch(page);
    };
    press(element, "Reconnect", 1);
    await launch(page);
    await mismatch();
    await mismatch();
    page.bff.end("declined");
    await pass(10_000);
    leave("at_9", `crm  ${second.id}`);
    page.bff.attempts.set("at_9", { ...page.bff.last, id: "at_9", status: "launched" });
    resume(kit);
    await pass(0);
    await mismatch();
    const wanted = page.bff.asked("POST", "/attempts").map(({ body }) => body?.connection);
    expect(wanted).toEqual(Array(4).fill(second.id));
    page.bff.end("declined");
    await pass(10_000);
  });

  it("says so when it is too late to choose", async () => {
    const element = await mismatched();
    page.bff.acceptedStatus = undefined;
    pick(element, "Use this account instead");
    await pass(0);
    expect(seen.failed.at(-1)).toMatchObject({ code: "expired", title: "Too late" });
    expect(names(element)).toEqual([]);
  });

  it("begins anew by Try again, inside the click", async () => {
    const element = await mismatched();
    pick(element, "Try again");
    expect(FakePopup.opened).toHaveLength(2);
    await launch(page);
    expect(names(element)).toEqual([]);
    page.bff.end("connected");
    await pass(6000);
    expect(seen.connected).toMatchObject([{ attempt: "at_2" }]);
  });
});
