// @vitest-environment happy-dom
// What an element shows after the end of its sign-in, when the page redraws it or another one takes its place.
import { describe, expect, it } from "vitest";
import { add, launch, main, status, useElements } from "./elements.js";
import { pass, usePage } from "./page.js";

const page = usePage();
useElements();

async function waiting(): Promise<HTMLElement> {
  const element = add("hitchpost-connect", { connector: "crm" });
  await pass(0);
  main(element).click();
  await launch(page);
  return element;
}

/** The newest sign-in ends. */
async function end(status: "connected" | "declined"): Promise<void> {
  page.bff.end(status);
  await pass(15_000); // Until the next poll, if no signal comes before it.
}

describe("an element that a morph changes", () => {
  it("has its state and its layout again, though the server's HTML has neither", async () => {
    page.bff.account.add("crm");
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(500);
    for (const name of ["data-card", "state"]) element.removeAttribute(name);
    await pass(0);
    expect([element.getAttribute("state"), element.hasAttribute("data-card")]).toEqual(["connected", true]);
  });

  it("whose connector's key is the name of a state follows it", async () => {
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    const asked = page.bff.calls.length;
    element.setAttribute("connector", "idle");
    main(element).click();
    await pass(0);
    expect(page.bff.calls.slice(asked).some(({ body }) => body?.connector === "idle")).toBe(true);
  });
});

describe("an element that replaces one after the end", () => {
  it("shows why the sign-in failed, until the next try", async () => {
    const old = await waiting();
    await end("declined");
    const shown = status(old);
    old.remove();
    const element = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    expect([shown, status(element)]).toEqual([expect.stringContaining("declined"), shown]);
    main(element).click();
    await launch(page);
    await end("connected");
    expect(status(element)).toBe("Connected");
  });

  it.each([
    ["of another connector", "erp", 0],
    ["a quarter of an hour later", "crm", 901_000],
  ])("%s shows nothing", async (_, connector, later) => {
    const old = await waiting();
    await end("declined");
    old.remove();
    await pass(later);
    expect(status(add("hitchpost-connect", { connector }))).toBe("");
  });
});

it("a failure is shown no longer once the connector is connected elsewhere", async () => {
  page.bff.states = { crm: "disconnected" };
  const element = await waiting();
  await end("declined");
  expect(status(element)).toContain("declined");
  page.bff.states = {};
  page.bff.account.add("crm");
  dispatchEvent(new Event("focus"));
  await pass(5000);
  expect([element.getAttribute("state"), status(element)]).toEqual(["connected", ""]);
});

it("a failure stays where the connector was connected all the while", async () => {
  page.bff.account.add("crm");
  const element = await waiting();
  await end("declined");
  dispatchEvent(new Event("focus"));
  await pass(5000);
  expect(status(element)).toContain("declined");
});

it("of two elements of one connector the first shows its failure no longer once the second has connected", async () => {
  page.bff.states = { crm: "disconnected" };
  const [one, other] = [await waiting(), add("hitchpost-connect", { connector: "crm" })];
  await end("declined");
  expect(status(one)).toContain("declined");
  main(other).click();
  await launch(page);
  page.bff.states = {};
  page.bff.account.add("crm");
  await end("connected");
  expect([one.getAttribute("state"), status(one)]).toEqual(["connected", ""]);
});
