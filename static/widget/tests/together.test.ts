// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { add, launch, main, pick, status, useElements } from "./elements.js";
import { PARTNER_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, remembered, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

/** Two elements that were pressed one after the other, and have been launched. */
async function two(connectors: [string, string]): Promise<[HTMLElement, HTMLElement]> {
  const elements = connectors.map((connector) => add("hitchpost-connect", { connector }));
  for (const element of elements) {
    main(element).click();
    await launch(page);
  }
  return elements as [HTMLElement, HTMLElement];
}

const row = (id: string) => {
  const found = page.bff.attempts.get(id);
  if (!found) throw new Error(`no ${id}`);
  return found;
};

describe("A30 two sign-ins at once", () => {
  it.each<[string, [string, string]]>([
    ["of two connectors", ["crm", "erp"]],
    ["of the same connector on two elements", ["crm", "crm"]],
  ])("%s have a window each, and each is told its own outcome", async (_, connectors) => {
    const [one, other] = await two(connectors);
    expect(FakePopup.opened.map(({ posted }) => posted.map(({ data }) => data.token))).toEqual([["lt_at_1"], ["lt_at_2"]]);
    page.bff.end("declined", row("at_2"));
    page.bff.end("connected", row("at_1"));
    await pass(5000);
    expect(status(one)).toBe("Connected");
    expect(status(other)).toContain("Title of declined\nNext step of declined");
    expect(seen.connected).toMatchObject([{ attempt: "at_1", connector: connectors[0] }]);
    expect(seen.failed).toMatchObject([{ attempt: "at_2" }]);
  });

  it("are not woken by each other's message", async () => {
    await two(["crm", "crm"]);
    const [first, second] = FakePopup.opened;
    second?.say("done at_1", PARTNER_ORIGIN);
    first?.say("done at_2", PARTNER_ORIGIN);
    await pass(0);
    expect(page.bff.reads).toHaveLength(0);
    first?.say("done at_1", PARTNER_ORIGIN);
    await pass(0);
    expect(page.bff.reads).toMatchObject([{ path: "/prefix/v1/attempts/at_1", headers: { "X-Hitchpost": "message" } }]);
    for (const id of ["at_1", "at_2"]) page.bff.end("declined", row(id));
    await pass(5000);
  });

  it("use one attempt each, also when one was made ahead of both clicks", async () => {
    const elements = ["crm", "crm"].map((connector) => add("hitchpost-connect", { connector }));
    for (const element of elements) main(element).dispatchEvent(new Event("pointerenter"));
    await pass(0);
    expect(page.bff.attempts.size).toBe(1);
    for (const element of elements) main(element).click();
    await pass(0);
    for (const popup of FakePopup.opened) popup.ready();
    await pass(0);
    expect(FakePopup.opened.map(({ posted }) => posted[0]?.data.token)).toEqual(["lt_at_1", "lt_at_2"]);
    for (const id of ["at_1", "at_2"]) page.bff.end("declined", row(id));
    await pass(5000);
  });

  it("are shown by one element, where the page has replaced both theirs by it: the one that runs after the other has ended", async () => {
    const [one, other] = await two(["crm", "crm"]);
    const only = one.cloneNode() as HTMLElement;
    other.remove();
    one.replaceWith(only);
    await pass(1000);
    page.bff.end("connected", row("at_1"));
    await pass(15_000);
    expect([only.getAttribute("state"), status(only)]).toEqual(["busy", "Waiting"]);
    page.bff.end("connected", row("at_2"));
    await pass(15_000);
    expect(status(only)).toBe("Connected");
  });

  it("leave the one that still runs to be remembered when the other ends", async () => {
    await two(["crm", "erp"]);
    expect(remembered()).toEqual({ at_1: "crm", at_2: "erp" });
    page.bff.end("connected", row("at_1"));
    await pass(5000);
    expect(remembered()).toEqual({ at_2: "erp" });
    page.bff.end("connected", row("at_2"));
    await pass(14_000);
    expect(remembered()).toEqual({});
  });
});

describe("A30 a double click", () => {
  it("opens one window and begins one attempt", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    main(element).click();
    await launch(page);
    expect([FakePopup.opened.length, page.bff.attempts.size]).toEqual([1, 1]);
    page.bff.end("connected");
    await pass(1000);
    expect(seen.connected).toHaveLength(1);
  });

  it("on Open again opens one window more, even while the BFF is slow to answer", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    main(element).click();
    await launch(page);
    FakePopup.last.closed = true;
    page.focus = true;
    await pass(3000);
    pick(element, "Open again");
    expect(() => { pick(element, "Open again"); }).toThrow("not offered");
    main(element).click();
    expect(FakePopup.opened).toHaveLength(2);
    await launch(page);
    page.bff.end("connected");
    await pass(1000);
    expect(FakePopup.opened.every(({ closed }) => closed)).toBe(true);
  });
});
