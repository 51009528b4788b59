// @vitest-environment happy-dom
// Pages that redraw or remove their buttons while the user signs in.
import { describe, expect, it } from "vitest";
import { add, launch, main, names, status, useElements } from "./elements.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage } from "./page.js";

const page = usePage();
const seen = useElements();

/** An element with a launched flow. */
async function waiting(attributes: Record<string, string> = {}): Promise<HTMLElement> {
  const element = add("hitchpost-connect", { connector: "crm", ...attributes });
  await pass(0);
  main(element).click();
  await launch(page);
  return element;
}

async function end(status: "connected" | "declined" = "connected", id = "at_1"): Promise<void> {
  const row = page.bff.attempts.get(id);
  if (row) page.bff.end(status, row);
  await pass(15_000); // Until the next poll, if no signal comes before it.
}

/** The ids of the nodes that get the final events. */
function endings(): string[] {
  const heard: string[] = [];
  for (const name of ["connected", "failed"]) {
    document.addEventListener(`hitchpost:${name}`, ({ target }) => heard.push(target === document ? "document" : (target as Element).id));
  }
  return heard;
}

describe("A30 an element that replaces one in mid-flow", () => {
  it.each<[string, (old: Element) => void]>([
    ["by innerHTML", (old) => { if (old.parentElement) old.parentElement.innerHTML = '<hitchpost-connect connector="crm" id="new"></hitchpost-connect>'; }],
    ["as a copy of itself (a cached page)", (old) => {
      const copy = old.cloneNode(true) as Element;
      copy.id = "new";
      old.replaceWith(copy);
    }],
    ["that was there before the old one went", (old) => {
      add("hitchpost-connect", { connector: "crm", id: "new" });
      old.remove();
    }],
    ["some time later", (old) => {
      old.remove();
      setTimeout(() => add("hitchpost-connect", { connector: "crm", id: "new" }), 1000);
    }],
    ["by its attribute, as a list without keys does", (old) => {
      const other = add("hitchpost-connect", { connector: "erp", id: "new" });
      old.setAttribute("connector", "erp");
      other.setAttribute("connector", "crm");
    }],
    ["inside a shadow root", (old) => {
      const root = add("div", {}).attachShadow({ mode: "open" });
      root.innerHTML = '<p></p><hitchpost-connect connector="crm" id="new"></hitchpost-connect>';
      old.remove();
    }],
    ["which asks for another message", (old) => {
      old.remove();
      add("hitchpost-connect", { connector: "crm", message: "m", id: "new" });
    }],
  ])("shows the flow, and is told how it ended: %s", async (_, replace) => {
    const old = await waiting({ id: "old" });
    const heard = endings();
    replace(old);
    await pass(2000);
    const roots = [document, ...[...document.querySelectorAll("div")].map(({ shadowRoot }) => shadowRoot)];
    const [fresh] = roots.flatMap((root) => [...(root?.querySelectorAll<HTMLElement>("#new") ?? [])]) as [HTMLElement];
    expect([status(fresh), main(fresh).ariaBusy]).toEqual(["Waiting", "true"]);
    await end();
    expect([status(fresh), main(fresh).ariaBusy]).toEqual(["Connected", "false"]);
    expect(seen.connected).toHaveLength(1);
    expect(heard.filter((id) => id !== "new" && id !== "")).toEqual([]);
    if (old.isConnected) expect([status(old), main(old).ariaBusy]).toEqual(["", "false"]);
  });

  it("steers the same flow: a press shows the window, and the choices in trouble are there", async () => {
    const old = await waiting();
    old.remove();
    const fresh = add("hitchpost-connect", { connector: "crm" });
    await pass(0);
    main(fresh).click();
    expect([FakePopup.opened.length, FakePopup.last.focused]).toEqual([1, 1]);
    FakePopup.last.closed = true;
    page.focus = true;
    await pass(3000);
    expect(names(fresh)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    const last = fresh.cloneNode() as HTMLElement;
    fresh.replaceWith(last);
    await pass(0);
    expect(names(last)).toEqual(["Open again", "Continue in this tab", "Cancel"]);
    await end();
    expect(seen.connected).toHaveLength(1);
  });

  it("is the one that asks for the same message, where several stand for the connector", async () => {
    const old = await waiting({ message: "second" });
    old.remove();
    const [one, two] = ["first", "second"].map((message) => add("hitchpost-connect", { connector: "crm", message })) as [HTMLElement, HTMLElement];
    await end();
    expect([status(one), status(two)]).toEqual(["", "Connected"]);
  });

  it("leaves each flow an element of its own, where two of one connector are drawn anew", async () => {
    const [one, other] = [await waiting(), await waiting()];
    const [first, second] = [one, other].map((element) => element.cloneNode()) as [HTMLElement, HTMLElement];
    document.body.replaceChildren(first, second);
    await end("declined", "at_2");
    await end("connected", "at_1");
    expect([status(first), status(second)]).toEqual(["Connected", expect.stringContaining("declined")]);
  });

  it("is drawn by the page as it hears of the end: the old flow is over for it", async () => {
    const old = await waiting();
    const fresh = old.cloneNode() as HTMLElement;
    old.addEventListener("hitchpost:connected", () => { old.replaceWith(fresh); });
    await end();
    expect([status(fresh), main(fresh).ariaBusy]).toEqual(["", "false"]);
  });
});

describe("an element that is taken away in mid-flow", () => {
  it("leaves the ending to the document", async () => {
    const old = await waiting();
    const heard = endings();
    old.remove();
    await end();
    expect(heard).toEqual(["document"]);
    expect(FakePopup.last.closed).toBe(true);
    document.body.append(old);
    await pass(0);
    expect([status(old), main(old).ariaBusy]).toEqual(["", "false"]);
    expect(old.shadowRoot?.querySelectorAll("[part=button]")).toHaveLength(1);
  });

  it("keeps its flow when it is only moved", async () => {
    const element = await waiting();
    add("hitchpost-connect", { connector: "crm" });
    add("section", {}).append(element);
    await end();
    expect(status(element)).toBe("Connected");
    expect(seen.connected).toHaveLength(1);
  });

  it("keeps what it says when it is moved after the end", async () => {
    const element = await waiting();
    await end();
    add("section", {}).append(element);
    expect(status(element)).toBe("Connected");
  });
});

describe("an element that gets another connector", () => {
  it("says nothing of the one before", async () => {
    const element = await waiting();
    await end();
    element.setAttribute("connector", "crm");
    expect(status(element)).toBe("Connected");
    element.setAttribute("connector", "erp");
    expect([status(element), names(element)]).toEqual(["", []]);
  });

  it("begins a flow of its own, while the one before goes on", async () => {
    const element = await waiting();
    const heard = endings();
    element.setAttribute("connector", "erp");
    expect([status(element), main(element).ariaBusy]).toEqual(["", "false"]);
    main(element).click();
    await launch(page);
    expect(page.bff.last).toMatchObject({ id: "at_2", connector: "erp" });
    await end("connected", "at_1");
    expect(heard).toEqual(["document"]);
    expect(status(element)).toBe("Waiting");
    await end("connected", "at_2");
    expect(status(element)).toBe("Connected");
  });

  it("is not told of a flow of a script's own", async () => {
    const flow = page.connect("crm");
    await launch(page);
    const element = add("hitchpost-connect", { connector: "crm" });
    await end();
    expect(flow.outcome).toMatchObject({ status: "connected" });
    expect(status(element)).toBe("");
  });
});

describe("an element whose locale changes in mid-flow", () => {
  it("says how it goes in the other language, and opens again in it", async () => {
    page.bff.words = {};
    const element = await waiting();
    FakePopup.last.closed = true;
    page.focus = true;
    await pass(3000);
    expect(status(element)).toBe("Unsure?");
    element.setAttribute("locale", "de");
    await pass(0);
    expect(main(element).textContent).toBe("Mit Acme CRM verbinden");
    main(element).click();
    expect(new URL(FakePopup.last.url).searchParams.get("locale")).toBe("de");
    await launch(page);
    expect(page.bff.asked("POST", "/attempts").at(-1)?.body).toMatchObject({ locale: "de" });
    await end("connected", "at_2");
    expect(status(element)).toBe("Verbunden");
    element.setAttribute("locale", "ar");
    await pass(0);
    expect(status(element)).toBe("تم الربط");
  });
});

describe("a host's own button that is drawn anew in mid-flow", () => {
  it.each([[false, false], [true, false], [false, true], [true, true]])("is told of the flow that goes on (in a shadow root: %s, pressed again: %s)", async (shadow, again) => {
    const root = shadow ? add("div", {}).attachShadow({ mode: "open" }) : add("div", {});
    root.innerHTML = '<button data-hitchpost-connect="crm"></button>';
    root.querySelector("button")?.click();
    await launch(page);
    root.innerHTML = '<button data-hitchpost-connect="crm" id="new"></button>';
    if (again) root.querySelector("button")?.click();
    expect(FakePopup.opened).toHaveLength(1);
    const heard: unknown[] = [];
    root.querySelector<HTMLElement>("#new")?.addEventListener("hitchpost:connected", ({ detail }) => heard.push(detail));
    await end();
    expect(heard).toMatchObject([{ attempt: "at_1" }]);
  });
});

describe("an element that comes back", () => {
  it.each<[string, (element: HTMLElement) => Promise<void>]>([
    ["to the page", async (element) => { element.remove(); await pass(3000); document.body.append(element); }],
    ["to its connector", async (element) => { element.setAttribute("connector", "erp"); await pass(100); element.setAttribute("connector", "crm"); }],
  ])("%s shows the flow that still runs", async (_, leave) => {
    const element = await waiting();
    await pass(500);
    await leave(element);
    await pass(100);
    expect([element.getAttribute("state"), status(element)]).toEqual(["busy", "Waiting"]);
    await end();
  });
});
